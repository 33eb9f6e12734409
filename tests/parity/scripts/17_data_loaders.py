# Data: TensorDataset, a Dataset of one's own, random_split, DataLoader with shuffling, collating, incomplete batches.
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

torch.manual_seed(2024)
data = TensorDataset(torch.arange(20.0).reshape(10, 2), torch.arange(10))
print(len(data), data[3], data[-1][1])
for x, y in DataLoader(data, batch_size=4):
    print(tuple(x.shape), y.tolist())
loader = DataLoader(data, batch_size=4, shuffle=True)
print(len(loader), len(DataLoader(data, batch_size=4, drop_last=True)))
for epoch in range(3):
    print(epoch, [y.tolist() for _, y in loader])
print(torch.rand(3))
train, test = random_split(data, [7, 3])
print(len(train), len(test), [int(train[i][1]) for i in range(7)], test.indices)
first, second = random_split(range(9), [0.5, 0.5], generator=torch.Generator().manual_seed(1))
print(list(first), list(second))


class Words(Dataset):
    def __init__(self, words):
        self.words = words
        self.index = {c: i + 1 for i, c in enumerate(sorted(set("".join(words))))}

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        word = self.words[i]
        return {"word": word, "codes": torch.tensor([self.index[c] for c in word]), "length": len(word)}


words = Words(["léa", "noé", "zoé", "emma", "paul", "lou", "rose"])
print(words[0])


def pad(items):
    longest = max(item["length"] for item in items)
    codes = torch.zeros(len(items), longest, dtype=torch.long)
    for row, item in zip(codes, items):
        row[: item["length"]] = item["codes"]
    return [item["word"] for item in items], codes, torch.tensor([item["length"] for item in items])


for names, codes, lengths in DataLoader(words, batch_size=3, shuffle=True, collate_fn=pad):
    print(names, lengths)
    print(codes)
generator = torch.Generator().manual_seed(7)
for batch in DataLoader(range(8), batch_size=3, shuffle=True, generator=generator):
    print(batch)
mixed = [(1, 2.5, "a", {"k": torch.ones(2)}), (3, 4.5, "b", {"k": torch.zeros(2)})]
for batch in DataLoader(mixed, batch_size=2):
    print(batch)
weights = torch.utils.data.WeightedRandomSampler([0.1, 0.2, 0.7], 8)
print(list(weights))
print([b for b in torch.utils.data.BatchSampler(range(7), 3, False)])
try:
    TensorDataset(torch.ones(3), torch.ones(4))
except AssertionError as error:
    print(type(error).__name__)
