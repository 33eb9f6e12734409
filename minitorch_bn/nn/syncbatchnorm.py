"""SyncBatchNorm: the layer whose batch is spread over several processes."""

from .. import world
from ..ops.syncbatchnorm import sync_batch_norm
from .batchnorm import BatchNorm


class SyncBatchNorm(BatchNorm):
    """BatchNorm whose mean and variance are those of all ranks' batches together.

    In train mode, where a process group of more than one rank exists, the ranks exchange statistics in forward and the
    sums of dx in backward; otherwise it is BatchNorm. Ranks may hold batches of different size, an empty one too.
    Unlike PyTorch's, it runs on the CPU.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats
        As BatchNorm1d.
    process_group : optional
        Taken for PyTorch's sake: the default group is used.

    Raises
    ------
    ValueError
        If the input has fewer than 2 dimensions, or all ranks together have a single value per channel.

    Source: PyTorch documentation of SyncBatchNorm. The math: ops/syncbatchnorm.py.
    """

    ranks = range(2, 10)

    def __init__(
        self,
        num_features,
        eps=1e-5,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        process_group=None,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def forward(self, input):
        group = world.current()
        if input.array.ndim < 2:
            raise ValueError(f"SyncBatchNorm: expected at least 2D input (got {input.array.ndim}D input)")
        if group.size == 1 or not self.training:
            return super().forward(input)
        track = self.track_running_stats
        statistics = (self.running_mean, self.running_var) if track else (None, None)
        momentum = self.weight_of_next_batch() if track and self.momentum is None else self.momentum
        y = sync_batch_norm(input, *statistics, self.weight, self.bias, group, momentum, self.eps)
        if track and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return y

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The model with every BatchNorm layer replaced by a SyncBatchNorm that shares its parameters and buffers.

        Parameters
        ----------
        module : Module
            Its children are replaced in place; if it is a BatchNorm layer itself, use what is returned.

        Raises
        ------
        ValueError
            If a BatchNorm has a convention, or a backward_mode other than "closed". None is replaced then.
        """
        for layer in module.modules():
            if isinstance(layer, BatchNorm) and (layer.convention is not None or layer.backward_mode != "closed"):
                raise ValueError(
                    f"convert_sync_batchnorm: {layer!r} has a convention or a backward_mode; there is no such "
                    "SyncBatchNorm"
                )
        if isinstance(module, BatchNorm) and not isinstance(module, cls):
            return cls.in_place_of(module, process_group)
        converted = {child: cls.convert_sync_batchnorm(child, process_group) for child in module.children()}
        for name, child in module._modules.items():
            if child is not None:
                setattr(module, name, converted[child])  # a layer with two names keeps both
        return module

    @classmethod
    def in_place_of(cls, layer, process_group):
        """A SyncBatchNorm with the settings, parameters and buffers of `layer`."""
        new = cls(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats, process_group)
        if layer.affine:
            new.weight, new.bias = layer.weight, layer.bias
        for name, buffer in layer.named_buffers(recurse=False):
            setattr(new, name, buffer)
        new.training = layer.training
        if layer.frozen:
            new.training = layer._mode_after
            new.freeze()
        return new
