import minitorch_bn as mt

mt.manual_seed(0)
x = mt.randn(256, 2)
y = (x.norm(dim=1) < 1).long()  # 1 inside the unit circle, 0 outside

model = mt.nn.Sequential(
    mt.nn.Linear(2, 16, bias=False),  # BatchNorm would take a bias away again
    mt.nn.BatchNorm1d(16),
    mt.nn.ReLU(),
    mt.nn.Linear(16, 2),
)
optimizer = mt.optim.SGD(model.parameters(), lr=0.5)
for _ in range(100):
    loss = mt.nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

right = (model.eval()(x).argmax(1) == y).float().mean()
print(f"loss {loss.item():.3f}, right {right.item():.3f}")
print("running variance", model[1].running_var[:4])
