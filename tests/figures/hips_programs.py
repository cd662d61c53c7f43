"""Programs as they are written for HIPS autograd, which run under it and under this project's modules of those names.

Each returns arrays by name; `make_hips.py` stores what HIPS autograd's give.
"""

from scipy.optimize import minimize

import autograd.numpy as np
import autograd.numpy.random as npr
import autograd.scipy.stats as stats
import autograd.scipy.stats.multivariate_normal as mvn
import autograd.scipy.stats.norm as norm
from autograd import (
    checkpoint,
    elementwise_grad,
    grad,
    grad_and_aux,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)
from autograd.builtins import dict as boxed_dict
from autograd.builtins import isinstance as is_instance
from autograd.builtins import list as boxed_list
from autograd.builtins import tuple as boxed_tuple
from autograd.extend import defvjp, primitive
from autograd.misc import flatten
from autograd.misc.fixed_points import fixed_point
from autograd.misc.optimizers import adam, rmsprop, sgd
from autograd.scipy import special
from autograd.scipy.integrate import odeint
from autograd.scipy.linalg import solve_sylvester, solve_triangular, sqrtm
from autograd.scipy.signal import convolve
from autograd.scipy.special import logsumexp
from autograd.test_util import check_grads


def derivatives_of_a_curve():
    """A sigmoid made of exp, and a sine, each differentiated four times over a grid."""
    x = np.linspace(-4, 4, 9)
    f, g, found = lambda x: (1.0 - np.exp(-x)) / (1.0 + np.exp(-x)), np.sin, {}
    for k in range(5):
        found[f"sigmoid {k}"], found[f"sine {k}"] = f(x), g(x)
        f, g = elementwise_grad(f), elementwise_grad(g)
    return found


def logistic_regression():
    """Descent by hand, weights changed in place."""
    inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
    targets = np.array([True, True, False, True])

    def loss(w):
        p = 0.5 * (np.tanh(np.dot(inputs, w)) + 1)
        return -np.sum(np.log(p * targets + (1 - p) * (1 - targets)))

    w = np.array([0.0, 0.0, 0.0])
    slope = grad(loss)
    for _ in range(100):
        w -= slope(w) * 0.01
    assert type(slope(w)).__name__ == "ndarray"
    return {"w": w, "loss": loss(w), "hessian": hessian(loss)(w)}


def neural_network():
    """Layers as a list of pairs, flattened, trained by Adam on a classification."""
    rng = npr.RandomState(0)
    params = [(0.3 * rng.randn(m, n), 0.1 * rng.randn(n)) for m, n in ((4, 6), (6, 3))]
    inputs, labels = rng.randn(20, 4), np.eye(3)[rng.randint(0, 3, 20)]

    def predict(params, x):
        for w, b in params:
            out = np.dot(x, w) + b
            x = np.tanh(out)
        return out - logsumexp(out, axis=1, keepdims=True)

    def objective(params, i):
        flat, _ = flatten(params)
        return -np.sum(predict(params, inputs) * labels) + 0.05 * np.dot(flat, flat)

    seen = []
    trained = adam(grad(objective), params, num_iters=30, step_size=0.02, callback=lambda p, i, g: seen.append(i))
    flat, unflatten = flatten(trained)
    assert seen == list(range(30))
    assert is_instance(unflatten(flat)[0], tuple)
    return {"weights": flat, "loss": objective(trained, 0)}


def gaussian_process():
    """The marginal likelihood of a regression by its hyperparameters, minimised by SciPy with value and gradient."""
    rng = npr.RandomState(1)
    x = np.linspace(-3, 3, 12).reshape(-1, 1)
    y = np.sin(x[:, 0]) + 0.1 * rng.randn(12)

    def kernel(h, a, b):
        apart = np.expand_dims(a / np.exp(h[1:]), 1) - np.expand_dims(b / np.exp(h[1:]), 0)
        return np.exp(h[0]) * np.exp(-0.5 * np.sum(apart**2, axis=2))

    def loss(params):
        mean, noise = params[0], np.exp(params[1]) + 1e-4
        cov = kernel(params[2:], x, x) + noise * np.eye(len(y))
        return -mvn.logpdf(y, mean * np.ones(len(y)), cov)

    start = np.array([0.1, -2.0, 0.2, 0.3])
    found = minimize(value_and_grad(loss), start, jac=True, method="CG", options={"maxiter": 4})
    return {"loss": loss(start), "gradient": grad(loss)(start), "params": found.x}


def variational_inference():
    """The evidence lower bound of a diagonal normal by samples of a fixed seed, climbed by Adam."""

    def log_density(x, t):
        mu, log_sigma = x[:, 0], x[:, 1]
        return norm.logpdf(log_sigma, 0, 1.35) + norm.logpdf(mu, 0, np.exp(log_sigma))

    rng = npr.RandomState(0)

    def bound(params, t):
        mean, log_std = params[:2], params[2:]
        samples = rng.randn(50, 2) * np.exp(log_std) + mean
        entropy = 0.5 * 2 * (1.0 + np.log(2 * np.pi)) + np.sum(log_std)
        return -(entropy + np.mean(log_density(samples, t)))

    start = np.concatenate([-1 * np.ones(2), -2 * np.ones(2)])
    return {"params": adam(grad(bound), start, step_size=0.1, num_iters=40)}


def gaussian_mixture():
    """The likelihood of a mixture with parameters in a dict, its gradient and a Hessian-vector product."""
    rng = npr.RandomState(2)
    data = rng.randn(30, 2)
    params = {"log proportions": 0.1 * rng.randn(3), "means": rng.randn(3, 2), "roots": np.tile(np.eye(2), (3, 1, 1))}

    def log_likelihood(params):
        weights = params["log proportions"] - logsumexp(params["log proportions"])
        logs = []
        for weight, mean, root in zip(weights, params["means"], params["roots"], strict=True):
            logs.append(weight + mvn.logpdf(data, mean, np.dot(root.T, root)))
        return np.sum(logsumexp(np.vstack(logs), axis=0))

    gradient = grad(log_likelihood)(params)
    flat, unflatten = flatten(params)
    of_flat = lambda v: -log_likelihood(unflatten(v))  # noqa: E731
    v = rng.randn(len(flat))
    return {
        **{name: gradient[name] for name in gradient},
        "value": log_likelihood(params),
        "product": hessian_vector_product(of_flat)(flat, v),
    }


def recurrent_network():
    """A network with a state, its parameters in a dict, over a sequence; trained by RMSProp."""
    rng = npr.RandomState(3)
    sizes = {"initial": (1, 5), "change": (2 + 5 + 1, 5), "predict": (5 + 1, 2)}
    params = {name: 0.2 * rng.randn(*shape) for name, shape in sizes.items()}
    inputs, targets = rng.randn(6, 3, 2), rng.randn(6, 3, 2)

    def with_ones(*args):
        return np.hstack([*args, np.ones((args[0].shape[0], 1))])

    def loss(params, i):
        hidden, total = np.repeat(params["initial"], 3, axis=0), 0.0
        for x, y in zip(inputs, targets, strict=True):
            hidden = np.tanh(np.dot(with_ones(x, hidden), params["change"]))
            total = total + np.mean((np.dot(with_ones(hidden), params["predict"]) - y) ** 2)
        return total

    trained = rmsprop(grad(loss), params, num_iters=15, step_size=0.01)
    return {**trained, "loss": loss(trained, 0)}


def fluid():
    """Smoke that is carried and thinned on a grid, and the gradient of its picture by the first velocities."""
    rng = npr.RandomState(4)
    vx, vy = 0.3 * rng.randn(2, 6, 6)
    rows, cols = np.meshgrid(np.arange(6), np.arange(6), indexing="ij")

    def carried(field, vx, vy):
        x, y = rows - vx, cols - vy
        left, top = np.floor(x).astype(int), np.floor(y).astype(int)
        rw, bw = x - left, y - top
        a, b, c, d = left % 6, (left + 1) % 6, top % 6, (top + 1) % 6
        above = (1 - rw) * ((1 - bw) * field[a, c] + bw * field[a, d])
        return above + rw * ((1 - bw) * field[b, c] + bw * field[b, d])

    def objective(params):
        vx, vy = np.reshape(params, (2, 6, 6))
        smoke = np.exp(-((rows - 2.5) ** 2 + (cols - 2.0) ** 2) / 4)
        for _ in range(4):
            vx, vy = carried(vx, vx, vy), carried(vy, vx, vy)
            thin = (np.roll(vx, 1, 0) + np.roll(vx, -1, 0) + np.roll(vx, 1, 1) + np.roll(vx, -1, 1)) / 4
            vx = 0.9 * vx + 0.1 * thin
            smoke = carried(smoke, vx, vy)
        return np.mean((smoke - 0.2) ** 2)

    value, gradient = value_and_grad(objective)(np.concatenate([vx.ravel(), vy.ravel()]))
    return {"value": value, "gradient": gradient}


def trust_region():
    """Rosenbrock's valley by SciPy's trust region, with a product with the Hessian and with all of it."""

    def valley(x):
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    start = np.array([-0.5, 1.2, 0.3])
    product = hessian_vector_product(valley)
    found = minimize(valley, start, method="Newton-CG", jac=grad(valley), hessp=product)
    return {"x": np.round(found.x, 4), "hessian": hessian(valley)(start), "product": product(start, np.ones(3))}


def differential_equation():
    """The solution of a predator and its prey by the rates and the start."""
    t = np.linspace(0.0, 2.0, 5)

    def rates(y, t, a, b):
        return np.array([y[0] * (a - y[1]), y[1] * (b[0] * y[0] - b[1])])

    def misfit(y0, a, b):
        return np.sum(odeint(rates, y0, t, boxed_tuple((a, b)), rtol=1e-10, atol=1e-10) ** 2)

    y0, a, b = np.array([1.0, 0.5]), np.array(1.1), np.array([0.7, 0.9])
    by_y0, by_a, by_b = (grad(misfit, k)(y0, a, b) for k in range(3))
    return {"value": misfit(y0, a, b), "y0": by_y0, "a": by_a, "b": by_b}


def own_primitive():
    """A sum of exponentials with a rule of its own, twice, and one without a derivative for an argument."""

    @primitive
    def safe(x, n):
        top = np.max(x)
        return top + np.log(np.sum(np.exp(x - top))) * n

    defvjp(safe, lambda ans, x, n: lambda g: g * n * np.exp(x - (ans - np.max(x)) / n - np.max(x)), None)
    x = np.array([1.5, -0.5, 2.0])
    f = lambda x: safe(x, 1.0) ** 2  # noqa: E731
    check_grads(f, modes=["rev"], order=1)(x)
    return {"value": f(x), "gradient": grad(f)(x)}


def toolbox():
    """The functional names, on one function of vectors."""
    m = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]])
    x, v, w = np.array([0.4, -0.2, 1.3]), np.array([1.0, 0.5, -0.25]), np.array([2.0, -1.0])
    f = lambda x: np.sin(np.dot(m, x)) * x[0]  # noqa: E731
    total = lambda x: np.sum(f(x) ** 2)  # noqa: E731
    pull, y = make_vjp(f)(x)
    (product, gradient), (aux_gradient, aux) = make_hvp(total)(x), grad_and_aux(lambda x: (total(x), 7.0))(x)
    named = multigrad_dict(lambda a, b=2.0: np.sum(a) * b**2)(x, b=3.0)
    pair = grad(lambda a, b: np.sum(a) * b, [0, 1])(x, 3.0)
    return {
        "jacobian": jacobian(f)(x),
        "third": jacobian(jacobian(f))(x),
        "hessian": hessian(total)(x),
        "vjp": pull(w),
        "y": y,
        "jvp": make_jvp(f)(x)(v)[1],
        "hvp": product(v),
        "gradient": gradient,
        "aux": aux_gradient * aux,
        "hessian product": hessian_tensor_product(total)(x, v),
        "jacobian product": vector_jacobian_product(f)(x, w),
        "tensor product": tensor_jacobian_product(jacobian(f))(x, np.outer(w, v)),
        "gauss newton": make_ggnvp(f)(x)(v),
        "checkpoint": grad(checkpoint(total))(x),
        "named": np.append(named["a"], named["b"]),
        "pair": np.append(pair[0], pair[1]),
        "method": grad(lambda x: (x @ v) + x.sum() + x.reshape(3, 1).T.max())(x),
    }


def containers():
    """Lists, tuples and dicts made within the function, and gradients of those given."""

    def f(params):
        made = boxed_list([params["a"] * 2, params["b"][0]]) + boxed_list([params["b"][1]])
        named = boxed_dict({"x": made[0], "y": boxed_tuple((made[1], made[2]))})
        assert is_instance(named["x"], np.ndarray)
        return np.sum(named["x"] * named["y"][0]) + np.sum(named["y"][1] ** 2)

    g = grad(f)({"a": np.array([1.0, 2.0]), "b": [np.array([3.0, 4.0]), 5.0]})
    return {"a": g["a"], "b0": g["b"][0], "b1": g["b"][1]}


def distributions():
    """Densities and probabilities, by each argument with a derivative."""
    x, found = np.array([0.2, 0.5, 0.8]), {}
    table = {
        "norm": ("pdf logpdf cdf logcdf sf logsf", (x, 0.3, 1.5), (0, 1, 2)),
        "t": ("pdf logpdf", (x, 2.5, 0.1, 1.5), (0, 1, 2, 3)),
        "beta": ("pdf logpdf", (x, 1.5, 2.5), (0, 1, 2)),
        "gamma": ("pdf logpdf", (x, 1.5), (0, 1)),
        "chi2": ("pdf logpdf", (x, 3.0), (0,)),
        "poisson": ("pmf logpmf cdf", (np.array([0, 1, 4]), 1.5), (1,)),
        "dirichlet": ("pdf logpdf", (np.array([0.2, 0.5, 0.3]), np.array([1.5, 2.5, 0.7])), (1,)),
        "multivariate_normal": ("pdf logpdf", (x, x[::-1], np.eye(3) + 0.2), (0, 1, 2)),
    }
    of_x = {"t": ("cdf logcdf", (x, 2.5, 0.1, 1.5)), "beta": ("cdf", (x, 1.5, 2.5)), "gamma": ("cdf", (x, 1.5))}
    rows = [(d, *row) for d, row in table.items()] + [(d, *row, (0,)) for d, row in of_x.items()]
    rows.append(("chi2", "cdf", (x, 3.0), (0,)))
    for distribution, names, args, positions in rows:
        for name in names.split():
            function = getattr(getattr(stats, distribution), name)
            for k in positions:
                total = lambda *args, function=function: np.sum(function(*args))  # noqa: E731
                found[f"{distribution}.{name} {k}"] = grad(total, k)(*args)
    return found


def special_functions():
    """Their derivatives, first and second."""
    x, found = np.array([0.3, 0.6, 0.85]), {}
    names = "erf erfc erfinv erfcinv expit logit gamma gammaln digamma psi rgamma i0 i1 j0 j1 y0 y1"
    functions = {name: getattr(special, name) for name in names.split()}
    for name in ["jn", "yn", "iv", "ive"]:
        functions[name] = lambda x, name=name: getattr(special, name)(2, x)
    functions["beta"] = lambda x: special.beta(x, 1.7)
    functions["betaln"] = lambda x: special.betaln(0.8, x)
    functions["betainc"] = lambda x: special.betainc(0.8, 1.7, x)
    functions["gammainc"] = lambda x: special.gammainc(0.8, x)
    functions["gammaincc"] = lambda x: special.gammaincc(0.8, x)
    functions["multigammaln"] = lambda x: special.multigammaln(x + 2, 2)
    functions["polygamma"] = lambda x: special.polygamma(1, x)
    functions["logsumexp"] = lambda x: special.logsumexp(np.outer(x, x), axis=0, b=np.array([[1.0], [2.0], [0.5]]))
    for name, f in functions.items():
        found[name], found[f"{name} again"] = elementwise_grad(f)(x), elementwise_grad(elementwise_grad(f))(x)
    return found


def linear_algebra_of_scipy():
    """Triangular solves, a square root and Sylvester's equation."""
    rng = npr.RandomState(5)
    a, b, q = np.tril(rng.randn(3, 3)) + 3 * np.eye(3), rng.randn(3, 3), rng.randn(3, 3)
    s = np.dot(b, b.T) + np.eye(3)
    found = {
        f"triangular {t} {k}": grad(lambda a, b, t=t: np.sum(solve_triangular(a, b, trans=t, lower=True) ** 2), k)(a, b)
        for t in (0, 1)
        for k in (0, 1)
    }
    found["sqrtm"] = grad(lambda s: np.sum(sqrtm(s) ** 3))(s)
    for k in range(3):
        found[f"sylvester {k}"] = grad(lambda a, b, q: np.sum(solve_sylvester(a, b, q) ** 2), k)(a, s, q)
    return found


def convolution_and_fixed_point():
    """A convolution along chosen axes, and a square root as a fixed point."""
    rng = npr.RandomState(6)
    images, filters = rng.randn(2, 3, 5, 5), rng.randn(3, 4, 2, 2)
    found = {}
    for mode in ("full", "valid"):
        f = lambda a, b, mode=mode: np.sum(  # noqa: E731
            np.sin(convolve(a, b, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode=mode))
        )
        found[f"{mode} images"], found[f"{mode} filters"] = grad(f)(images, filters), grad(f, 1)(images, filters)
    found["line"] = convolve(images[0, 0, 0], filters[0, 0, 0])
    halves = lambda a: lambda x: (x + a / x) * 0.5  # noqa: E731
    root = lambda a: fixed_point(halves, a, 2.0, lambda x, y: np.abs(x - y), 1e-10)  # noqa: E731
    found["root"], found["root slope"] = np.array(root(3.0)), np.array(grad(root)(3.0))
    found["sgd"] = sgd(grad(lambda x, i: np.sum(np.cosh(x))), np.array([1.0, -2.0]), num_iters=20, step_size=0.05)
    return found


PROGRAMS = {
    f.__name__: f
    for f in (
        derivatives_of_a_curve,
        logistic_regression,
        neural_network,
        gaussian_process,
        variational_inference,
        gaussian_mixture,
        recurrent_network,
        fluid,
        trust_region,
        differential_equation,
        own_primitive,
        toolbox,
        containers,
        distributions,
        special_functions,
        linear_algebra_of_scipy,
        convolution_and_fixed_point,
    )
}
