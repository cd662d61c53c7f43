"""What to write here for names and settings that other libraries' optimizers have: said by the error for such a one."""

OPTIM = {
    "lr_scheduler": "optim.StepLR(optimizer, 30): the schedules are all here",
    "swa_utils": "optim.WeightAverage(model.parameters())",
}
OPTIMIZER = {
    "beta_1": "write betas=(beta_1, beta_2)",
    "beta_2": "write betas=(beta_1, beta_2)",
    "capturable": "ag.compile takes any step. Leave it out",
    "clipnorm": "write optim.clip_grad_norm_(params, max_norm) before each step",
    "clipvalue": "write optim.clip_grad_value_(params, clip_value) before each step",
    "decay": "write weight_decay=, or optim.ExponentialLR(optimizer, gamma) for the learning rate",
    "decoupled_weight_decay": "write optim.AdamW, or regularize.DecoupledDecay",
    "differentiable": "the method update can be differentiated as it is. Leave it out",
    "ema_momentum": "write optim.WeightAverage(params, decay) and its update() after each step",
    "epsilon": "write eps",
    "foreach": "parameters are updated together as it is. Leave it out",
    "fused": "updates are one kernel as it is. Leave it out",
    "global_clipnorm": "write optim.clip_grad_norm_(params, max_norm) before each step",
    "jit_compile": "write ag.compile(step). Leave it out",
    "learning_rate": "write lr",
    "model": "write model.parameters() as the first argument",
    "name": "optimizers have no names. Leave it out",
    "parameters": "write params, or nothing: they are the first argument",
    "use_ema": "write optim.WeightAverage(params, decay) and its update() after each step",
}
SCHEDULE = {
    "decay_rate": "write optim.ExponentialLR(optimizer, gamma)",
    "decay_steps": "write the number of steps as T_max, total_iters or step_size",
    "initial_learning_rate": "write the optimizer first, whose lr it is; or that number",
    "last_epoch": "write schedule.load_state_dict(state), or call step() as often, to go on from a later step",
    "name": "schedules have no names. Leave it out",
    "verbose": "write print(schedule.get_last_lr())",
}
