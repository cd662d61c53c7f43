"""A tiny network in scalars only, through the same engine that runs the large ones, and the tape that it leaves.

Every weight, every product and every sum below is a 0-d Tensor of its own. The network learns exclusive or.
"""

import argparse

import autograd as ag

POINTS = [((0.0, 0.0), -1.0), ((0.0, 1.0), 1.0), ((1.0, 0.0), 1.0), ((1.0, 1.0), -1.0)]


class Neuron:
    """tanh(w . x + b), all of it scalars."""

    def __init__(self, inputs: int, generator: ag.random.Generator) -> None:
        self.weights = [ag.tensor(float(generator.uniform(-1, 1)), requires_grad=True) for _ in range(inputs)]
        self.bias = ag.tensor(0.0, requires_grad=True)

    def __call__(self, inputs: list[ag.Tensor]) -> ag.Tensor:
        """The neuron's output."""
        total = self.bias
        for weight, value in zip(self.weights, inputs, strict=True):
            total = total + weight * value
        return ag.tanh(total)


class Network:
    """Two inputs, one hidden layer, one output."""

    def __init__(self, hidden: int, generator: ag.random.Generator) -> None:
        self.hidden = [Neuron(2, generator) for _ in range(hidden)]
        self.output = Neuron(hidden, generator)

    def __call__(self, point: tuple[float, float]) -> ag.Tensor:
        """The network's output at a point."""
        return self.output([neuron(list(point)) for neuron in self.hidden])

    def parameters(self) -> list[ag.Tensor]:
        """All weights and biases."""
        return [p for neuron in [*self.hidden, self.output] for p in [*neuron.weights, neuron.bias]]


def cost(network: Network) -> ag.Tensor:
    """The mean squared error over the four points."""
    total = ag.tensor(0.0)
    for point, target in POINTS:
        total = total + (network(point) - target) ** 2
    return total / len(POINTS)


def main() -> None:
    """Print a tape, check the gradient, train, and print what was learnt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    generator = ag.random.Generator(args.seed)
    network = Network(4, generator)

    print("The tape of one neuron at the point (0, 1):\n")
    print(ag.tape_of(network.hidden[0]([0.0, 1.0])))

    parameters = network.parameters()
    print(f"\n{len(parameters)} parameters; {ag.gradcheck(lambda *_: cost(network), parameters)}\n")
    for step in range(args.steps + 1):
        loss = cost(network)
        if step % (args.steps // 5 or 1) == 0:
            print(f"step {step:4d}  cost {loss:.6f}")
        loss.backward()
        with ag.no_grad():
            for p in parameters:
                p -= 0.5 * p.grad
                p.grad = None
    print()
    for point, target in POINTS:
        print(f"{point} -> {network(point):+.3f}  (target {target:+.0f})")


if __name__ == "__main__":
    main()
