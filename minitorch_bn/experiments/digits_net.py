"""A small residual network for images of 8x8 pixels, with BatchNorm, GroupNorm, or no normalisation."""

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import nn

NORMS = {"batch": "BatchNorm", "group": "GroupNorm", "none": "without"}
GROUPS = 8  # of GroupNorm: 2 or 4 channels share a mean


def normalisation(norm, channels):
    """The layer that stands behind a convolution: BatchNorm2d, GroupNorm, or Identity for "none"."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(GROUPS, channels) if norm == "group" else nn.Identity()


def conv(norm, in_channels, out_channels, kernel_size, stride=1):
    """A convolution that keeps the size (at stride 1). It has a bias only where no normalisation follows."""
    padding = kernel_size // 2
    return nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=norm == "none")


class Block(nn.Module):
    """Two convolutions beside a short cut: relu(f(x) + shortcut(x)).

        f = conv 3x3, norm, ReLU, conv 3x3, norm        shortcut = nothing, or conv 1x1, norm where the shape changes

    Source: He et al. 2016, "Deep residual learning", figure 2 and section 3.3, option B.
    """

    def __init__(self, norm, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = conv(norm, in_channels, out_channels, 3, stride)
        self.norm1 = normalisation(norm, out_channels)
        self.conv2 = conv(norm, out_channels, out_channels, 3)
        self.norm2 = normalisation(norm, out_channels)
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            projection = conv(norm, in_channels, out_channels, 1, stride)
            self.shortcut = nn.Sequential(projection, normalisation(norm, out_channels))

    def forward(self, x):
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(h)) + self.shortcut(x))


class Net(nn.Module):
    """conv 3x3 (1 -> 16), norm, ReLU; a block with 16 channels; one with 32 at half the size; Linear(512, 10).

    Parameters
    ----------
    norm : {"batch", "group", "none"}
    dropout : float
        Probability of Dropout in front of the last Linear, behind the last normalisation: there it changes no variance
        that a BatchNorm has averaged (Li et al. 2018, "Understanding the disharmony between dropout and batch
        normalization by variance shift", section 4.2).

    Shapes: x (N, 1, 8, 8), result (N, 10), one logit per digit.
    """

    def __init__(self, norm="batch", dropout=0.0):
        super().__init__()
        self.conv = conv(norm, 1, 16, 3)
        self.norm = normalisation(norm, 16)
        self.block1 = Block(norm, 16, 16)
        self.block2 = Block(norm, 16, 32, stride=2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(32 * 4 * 4, 10)

    def forward(self, x):
        h = F.relu(self.norm(self.conv(x)))
        h = self.block2(self.block1(h))
        return self.fc(self.dropout(h.flatten(1)))


def shifted(x):
    """Every image moved by -1, 0 or 1 pixel along each axis, at random; what comes in at the border is background, -1.

    Parameters
    ----------
    x : Tensor of shape (N, 1, H, W)
        Pixels from -1 (background) to 1 (ink).

    Returns
    -------
    Tensor of shape (N, 1, H, W)
    """
    N, _, H, W = x.shape
    image = mt.arange(N)[:, None, None]
    rows = (mt.arange(H) + mt.randint(0, 3, (N, 1)))[:, :, None]
    columns = (mt.arange(W) + mt.randint(0, 3, (N, 1)))[:, None, :]
    return F.pad(x, (1, 1, 1, 1), value=-1.0)[image, 0, rows, columns][:, None]
