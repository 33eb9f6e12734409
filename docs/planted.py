"""A BatchNorm of one's own with a mistake in it, compared with numbers that PyTorch computed: docs/planted.py."""

import minitorch_bn as mt
from minitorch_bn import compare


class MyBatchNorm(mt.nn.BatchNorm1d):
    """Right in all but one line."""

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        mean, var = x.mean(0), x.var(0, unbiased=False)
        with mt.no_grad():
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (var - self.running_var)
            self.num_batches_tracked += 1
        return self.weight * (x - mean) / mt.sqrt(var + self.eps) + self.bias


model = compare.golden_model("names")
model.bn1 = MyBatchNorm(32).double()
print(compare.with_golden(model, "names"))
