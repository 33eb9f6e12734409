"""A batch through BatchNorm and tanh, forwards and backwards: a few lines for a debugger."""

import numpy as np

import minitorch_bn as mt

np.set_printoptions(precision=3, suppress=True)

mt.manual_seed(0)
x = mt.randn(4, 2).requires_grad_()
bn = mt.nn.BatchNorm1d(2)
y = mt.tanh(bn(x))
loss = (y - 1).square().mean()
loss.backward()
print(x.grad)
