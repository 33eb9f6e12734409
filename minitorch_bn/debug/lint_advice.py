"""Why each finding of the BatchNorm doctor matters, and what to do. docs/doctor.md explains them at length."""

from typing import NamedTuple


class Advice(NamedTuple):
    """The two sentences that are the same for every finding of one name."""

    why: str
    fix: str


ADVICE = {
    "dead-bias": Advice(
        "BatchNorm subtracts each channel's mean, and a constant that was added before goes with it: the bias changes "
        "nothing, its gradient is 0, and beta does what it was meant to do.",
        "Make the layer before BatchNorm with bias=False.",
    ),
    "cold-statistics": Advice(
        "The running statistics are still 0 and 1. Eval mode normalises with them, that is, not at all.",
        "Train first, load a checkpoint with its buffers, or average over data with optim.swa_utils.update_bn.",
    ),
    "unwarmed-statistics": Advice(
        "The running statistics start at 0 and 1, and every batch multiplies what is left of that start by "
        "1 - momentum. Until little is left, eval mode is wrong.",
        "Train longer before you evaluate, take a larger momentum or momentum=None, or call optim.swa_utils.update_bn.",
    ),
    "stale-statistics": Advice(
        "Eval mode uses the running statistics. Here they are not those of the activations that the present weights "
        "give on this data.",
        "Recalibrate with optim.swa_utils.update_bn(loader, model); look for weights that were changed without "
        "training, other preprocessing, or a momentum that is too small.",
    ),
    "last-batch-of-one": Advice(
        "One value per channel has no variance: train mode raises ValueError there, often at the end of the first "
        "epoch.",
        "Use drop_last=True, or a batch size that leaves no remainder of 1.",
    ),
    "small-batch": Advice(
        "The mean and variance of so few values are mostly noise: the standard deviation of an estimated mean is "
        "1 / sqrt(m) of the channel's own, and eval mode, which averages, sees another network.",
        "Use larger batches, SyncBatchNorm over several processes, or GroupNorm or LayerNorm, which need no batch.",
    ),
    "moving-statistics": Advice(
        "no_grad switches gradients off, not train mode. A BatchNorm in train mode normalises with the batch at hand "
        "and takes it into its running statistics: data of the validation leaks in, and results depend on the batch.",
        "Call model.eval() before validation, and model.train() after it.",
    ),
    "mixed-modes": Advice(
        "train() and eval() set the mode of every module inside. One BatchNorm in another mode than the model usually "
        "is left over from an experiment, and the next model.train() or model.eval() silently ends it.",
        "Call model.eval() or model.train() once. To freeze a BatchNorm on purpose: freeze(), which train() does not "
        "undo.",
    ),
    "frozen-but-tracking": Advice(
        "requires_grad=False stops the optimiser, and nothing else. In train mode the layer goes on normalising with "
        "the batch, and its running statistics go on moving, so that the frozen part changes.",
        "Freeze the statistics as well: freeze() on the layer, or nn.utils.freeze_batchnorm(model).",
    ),
    "reversed-momentum": Advice(
        "momentum is the weight of the newest batch here, as in PyTorch; in Keras, Flax and Chainer it is that of the "
        "old average. With 0.99 the running statistics are little more than those of the last batch.",
        "Use 1 - momentum (0.1 for 0.9, 0.01 for 0.99), or convention=Convention.KERAS.",
    ),
    "variance-below-eps": Advice(
        "Dividing by sqrt(var + eps) gives a variance of 1 only if var is much larger than eps. An input that hardly "
        "varies stays near 0, whatever it is, and the channel carries nothing.",
        "Look for constant features, dead units or weights near 0 before the layer; scale the input; if it is small "
        "on purpose, take a smaller eps.",
    ),
    "large-eps": Advice(
        "eps is there to avoid a division by 0. Where it is not small beside the variance, the output has a variance "
        "of var / (var + eps) instead of 1.",
        "Use the default, 1e-5 (Keras: 1e-3), or scale the input.",
    ),
    "weight-decay": Advice(
        "Weight decay pulls gamma and beta to 0. Where BatchNorm follows a weight, the scale of that weight does not "
        "matter, so the usual reason for decay does not apply; a small gamma just makes the signal small.",
        "Give the parameters of BatchNorm (and biases) a group of their own with weight_decay=0.",
    ),
    "train-eval-gap": Advice(
        "Train mode normalises with each batch, eval mode with the running statistics. If both describe the same "
        "data, the outputs are nearly the same; dropout is switched off in this comparison.",
        "If recalibrating helps, call optim.swa_utils.update_bn; if not, the batches are too small or too unlike one "
        "another: larger or shuffled batches.",
    ),
    "saturated-tanh": Advice(
        "Where |tanh| is above 0.97 its slope is below 0.06: hardly any gradient comes through, and the weights "
        "before it stand still.",
        "Smaller initial weights, a smaller learning rate, or BatchNorm before the tanh (with gamma near 1).",
    ),
    "dead-relu": Advice(
        "A unit that is 0 for every input has gradient 0 for every input: it does not come back by itself.",
        "A smaller learning rate, He initialisation, a bias or beta nearer to 0, or a leaky ReLU.",
    ),
    "dead-gamma": Advice(
        "gamma multiplies the channel. Near 0 the channel is a constant, beta, and the layers before it get no "
        "gradient through it.",
        "If it is meant (pruning, blocks that start at 0), nothing. Otherwise look at weight decay, or reset gamma.",
    ),
    "dropout-before-bn": Advice(
        "Dropout keeps the mean and enlarges the variance, in train mode only. The running variance is that of train "
        "mode, so eval mode divides by too much. Source: Li et al. 2019, Understanding the Disharmony between Dropout "
        "and Batch Normalization.",
        "Put dropout behind the last BatchNorm.",
    ),
    "bn-on-output": Advice(
        "The last thing that happens to the output is that each of its channels is normalised over the batch: logits "
        "lose their scale and offset, and what the model says of one sample depends on the others.",
        "End with a plain Linear or Conv layer. For embeddings it can be meant.",
    ),
    "channel-layout": Advice(
        "BatchNorm takes dimension 1 for the channels. After a layer that works on the last dimension, an input "
        "(N, L, C) is normalised per position; no error is raised where L happens to equal num_features.",
        "Move the features to dimension 1: bn(x.transpose(1, 2)).transpose(1, 2).",
    ),
    "broken-statistics": Advice(
        "Once nan or infinity is in a running average it never leaves; eval mode gives nan for that channel from then "
        "on. A negative variance gives nan, too.",
        "Find the batch that brought it (debug.detect_anomaly), then reset_running_stats() and average anew with "
        "optim.swa_utils.update_bn.",
    ),
    "no-running-statistics": Advice(
        "Without running statistics eval mode, too, normalises with the batch at hand: a prediction depends on the "
        "samples beside it, and one sample alone is an error.",
        "Use track_running_stats=True, or a norm that needs no batch: LayerNorm, GroupNorm, InstanceNorm.",
    ),
    "untracked-statistics": Advice(
        "The layer has running statistics, but train mode does not move them (track_running_stats is False, or "
        "momentum is 0). Eval mode uses them all the same.",
        "Set track_running_stats to True and momentum to 0.1; to freeze the layer, call freeze().",
    ),
    "lonely-syncbatchnorm": Advice(
        "SyncBatchNorm without a process group of several ranks is plain BatchNorm: nothing is synchronised.",
        "Call distributed.init_process_group first, or use BatchNorm.",
    ),
}
