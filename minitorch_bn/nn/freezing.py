"""Freezing: eval mode that `train()` does not undo, for layers with running statistics.

`requires_grad=False` stops the optimiser and nothing else; `no_grad` stops the recording of gradients and nothing else;
`eval()` lasts until the next `train()`. Frozen statistics normalise, and stay as they are, until `unfreeze`.
"""


class Freezable:
    """What BatchNorm and InstanceNorm layers share: `freeze`, `unfreeze`, `frozen`.

    A frozen layer is in eval mode: `training` is False, whatever is written to it. What `train()` and `eval()` ask for
    in the meantime is kept for `unfreeze`.

    Attributes
    ----------
    frozen : bool
        Whether the running statistics are frozen; to set it is to call `freeze` or `unfreeze`. It is in the layer's
        repr and, as a mark beside the version, in the metadata of a state dict; the keys of the state dict are
        PyTorch's.
    """

    frozen = False

    def freeze(self, affine=False):
        """Normalise with the running statistics from now on, and never move them, in train mode neither.

        gamma and beta stay trainable, unless asked: what learns is a matter of `requires_grad`, and that is yours.
        Running statistics still change where they are written to: load_state_dict, reset_running_stats.

        Parameters
        ----------
        affine : bool
            Set requires_grad of gamma and beta to False, too.

        Returns
        -------
        self

        Raises
        ------
        RuntimeError
            If the layer has no running statistics. Nothing is changed then.

        >>> from minitorch_bn import nn
        >>> nn.BatchNorm1d(3).freeze().train()
        BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True, frozen=True)
        """
        check_freezable(self)
        if not self.frozen:
            mode = self.training
            vars(self)["frozen"] = True
            self.training = mode
        if affine:
            self._require_grad(False)
        return self

    def unfreeze(self, affine=False):
        """Follow train() and eval() again, beginning with what they asked for last; returns self.

        Parameters
        ----------
        affine : bool
            Set requires_grad of gamma and beta to True, too.
        """
        if self.frozen:
            vars(self)["frozen"] = False
            self.training = self._mode_after
        if affine:
            self._require_grad(True)
        return self

    def _require_grad(self, requires_grad):
        for p in (self.weight, self.bias):
            if p is not None:
                p.requires_grad_(requires_grad)

    def __setattr__(self, name, value):
        if name == "frozen":
            self.freeze() if value else self.unfreeze()
            return
        if name == "training" and self.frozen:
            vars(self)["_mode_after"], value = value, False
        super().__setattr__(name, value)

    def _marks(self):
        return {"frozen": True} if self.frozen else {}

    def _take_marks(self, marks):
        if marks.get("frozen") and self.running_mean is not None:
            self.freeze()


def check_freezable(layer):
    """Raise RuntimeError for a layer that has no statistics to freeze."""
    if layer.running_mean is None or layer.running_var is None:
        raise RuntimeError(
            f"freeze: {layer!r} has no running statistics, so there is nothing to freeze: in every mode it normalises "
            "with the batch. Make it with track_running_stats=True and train it first; for gamma and beta alone use "
            "requires_grad_(False)"
        )
