"""Names of PyTorch that are not here, and what to write instead."""

from collections.abc import Iterable

LOSSES = {
    "BCELoss": "losses.binary_cross_entropy(probs, targets)",
    "BCEWithLogitsLoss": "losses.binary_cross_entropy_with_logits(logits, targets)",
    "CrossEntropyLoss": "losses.cross_entropy(logits, targets)",
    "HuberLoss": "losses.huber_loss(predictions, targets)",
    "L1Loss": "losses.l1_loss(predictions, targets)",
    "MSELoss": "losses.mse_loss(predictions, targets)",
    "NLLLoss": "losses.nll_loss(log_probs, targets)",
    "SmoothL1Loss": "losses.huber_loss(predictions, targets, delta=beta) / beta",
    "smooth_l1_loss": "losses.huber_loss(predictions, targets, delta=beta) / beta",
    "soft_margin_loss": "losses.logistic(scores, targets)",
}
OPTIM = {
    "clip_grad_norm_": "optim.clip_grad_norm(params, max_norm)",
    "lr_scheduler": "optimizer.lr = schedule(step), with a schedule of optim.schedules",
}
SCHEDULES = {
    "CosineAnnealingLR": "schedules.cosine(lr, steps, end=eta_min)",
    "ExponentialLR": "schedules.exponential(lr, factor=gamma)",
    "LinearLR": "schedules.linear_warmup(schedules.constant(lr), steps, start=start_factor)",
    "OneCycleLR": "schedules.one_cycle(lr, steps)",
    "StepLR": "schedules.step(lr, every, factor=gamma)",
}
OPTIMIZERS = {
    "add_param_group": "groups at the start, [{'params': [w]}, {'params': [b]}]",
    "decoupled_weight_decay": "optim.AdamW(params, weight_decay=weight_decay)",
    "learning_rate": "optimizer.lr",
    "maximize": "(-value).backward(), to minimize the negative",
    "param_groups": "optimizer.groups",
    "state": "optimizer.state_dict()",
}


def instead(name: str, lines: dict[str, str], known: Iterable[str]) -> str:
    """What to write for ``name``, or what there is."""
    return f"write {lines[name]}" if name in lines else f"there are {', '.join(known)}"
