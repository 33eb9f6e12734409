# A training loop with everything: train, validation and test sets, accuracy, best checkpoint, plateau, early stopping.
import copy
import io
import time

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset, random_split


class Bars(Dataset):
    """Noisy images of a bar: upright, lying, or none."""

    def __init__(self, n, seed, transform=None):
        g = torch.Generator().manual_seed(seed)
        self.targets = torch.randint(0, 3, (n,), generator=g)
        self.images = 0.7 * torch.randn(n, 1, 8, 8, generator=g)
        self.transform = transform
        for i in range(n):
            k = int(torch.randint(0, 8, (1,), generator=g))
            if self.targets[i] == 0:
                self.images[i, 0, :, k] += 2
            elif self.targets[i] == 1:
                self.images[i, 0, k, :] += 2

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        image = self.images[index]
        if self.transform:
            image = self.transform(image)
        return image, int(self.targets[index])


class AverageMeter:
    def __init__(self):
        self.sum = self.count = 0

    def update(self, value, n=1):
        self.sum, self.count = self.sum + value * n, self.count + n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


class EarlyStopping:
    def __init__(self, patience=3, min_delta=0.0):
        self.patience, self.min_delta, self.best, self.counter = patience, min_delta, None, 0

    def __call__(self, loss):
        if self.best is None or loss < self.best - self.min_delta:
            self.best, self.counter = loss, 0
        else:
            self.counter += 1
        return self.counter >= self.patience


torch.manual_seed(42)
full = Bars(150, seed=1, transform=lambda image: (image - 0.25) / 0.9)
train_set, val_set = random_split(full, [110, 40], generator=torch.Generator().manual_seed(2))
loaders = {
    "train": DataLoader(train_set, batch_size=32, shuffle=True, drop_last=True),
    "val": DataLoader(val_set, batch_size=40),
}
print(len(train_set), len(val_set), len(loaders["train"]), next(iter(loaders["val"]))[1].dtype)
model = nn.Sequential(
    nn.Conv2d(1, 6, kernel_size=3, padding=1), nn.BatchNorm2d(6), nn.ReLU(True), nn.MaxPool2d(2, 2),
    nn.Conv2d(6, 8, kernel_size=3, padding=1), nn.BatchNorm2d(8), nn.ReLU(True), nn.AdaptiveMaxPool2d(2),
    nn.Flatten(start_dim=1), nn.Dropout(p=0.2), nn.Linear(32, 3),
)  # fmt: skip
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=0)
stop, since = EarlyStopping(patience=2, min_delta=0.05), time.time()
best_acc, best_weights = 0.0, copy.deepcopy(model.state_dict())
for epoch in range(10):
    for phase in ["train", "val"]:
        model.train() if phase == "train" else model.eval()
        meter, hits = AverageMeter(), 0
        for inputs, labels in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == "train"):
                outputs = model(inputs)
                _, preds = torch.max(outputs, 1)
                loss = criterion(outputs, labels)
                if phase == "train":
                    loss.backward()
                    optimizer.step()
            meter.update(loss.item(), inputs.size(0))
            hits += torch.sum(preds == labels.data)
        epoch_acc = hits.double() / meter.count
        print(f"{epoch} {phase:5} loss {meter.avg:.3f} acc {epoch_acc:.4f}", end="   " if phase == "train" else "\n")
    scheduler.step(meter.avg)
    if epoch_acc > best_acc:
        best_acc = epoch_acc
        best_weights = copy.deepcopy(model.state_dict())
    if stop(meter.avg):
        print(f"stopped after epoch {epoch}")
        break
assert time.time() >= since
print(f"best {best_acc:.4f}, rate {optimizer.param_groups[0]['lr']}, waited {stop.counter}")
print(torch.equal(best_weights["0.weight"], model.state_dict()["0.weight"]), best_weights["1.num_batches_tracked"])

buffer = io.BytesIO()
torch.save({"epoch": epoch, "model": best_weights, "optimizer": optimizer.state_dict()}, buffer)
buffer.seek(0)
checkpoint = torch.load(buffer)
print(model.load_state_dict(checkpoint["model"]), sorted(checkpoint), checkpoint["epoch"] == epoch)
optimizer.load_state_dict(checkpoint["optimizer"])

test_set = Bars(60, seed=9, transform=full.transform)
model.eval()
confusion, losses = torch.zeros(3, 3, dtype=torch.int64), 0.0
with torch.no_grad():
    for inputs, labels in DataLoader(test_set, batch_size=16):
        logits = model(inputs)
        losses += criterion(logits, labels).item() * len(labels)
        for t, p in zip(labels.view(-1), logits.argmax(1).view(-1)):
            confusion[t.long(), p.long()] += 1
print(confusion, f"test loss {losses / len(test_set):.3f}")
print("per class", confusion.diag() / confusion.sum(1))
