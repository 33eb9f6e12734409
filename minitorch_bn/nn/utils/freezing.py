"""Freeze all BatchNorms of a model at once, as fine-tuning on few or on shifted samples mostly wants it."""

from ..batchnorm import BatchNorm
from ..freezing import check_freezable


def freeze_batchnorm(model, affine=False):
    """Call `freeze` on every BatchNorm of `model`; returns the model.

    Parameters
    ----------
    model : Module
    affine : bool
        Set requires_grad of their gammas and betas to False, too.

    Raises
    ------
    RuntimeError
        If one of them has no running statistics. None is frozen then.
    """
    layers = [module for module in model.modules() if isinstance(module, BatchNorm)]
    for layer in layers:
        check_freezable(layer)
    for layer in layers:
        layer.freeze(affine)
    return model


def unfreeze_batchnorm(model, affine=False):
    """Call `unfreeze` on every BatchNorm of `model`; returns the model.

    Parameters
    ----------
    model : Module
    affine : bool
        Set requires_grad of their gammas and betas to True, too.
    """
    for module in model.modules():
        if isinstance(module, BatchNorm):
            module.unfreeze(affine)
    return model
