# Style as the mean and the standard deviation of every channel: InstanceNorm, its running statistics, AdaIN, Gram.
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(39)


def calc_mean_std(feat, eps=1e-5):
    assert len(feat.size()) == 4
    N, C = feat.size()[:2]
    feat_var = feat.view(N, C, -1).var(dim=2) + eps
    feat_std = feat_var.sqrt().view(N, C, 1, 1)
    feat_mean = feat.view(N, C, -1).mean(dim=2).view(N, C, 1, 1)
    return feat_mean, feat_std


def adaptive_instance_normalization(content_feat, style_feat):
    size = content_feat.size()
    style_mean, style_std = calc_mean_std(style_feat)
    content_mean, content_std = calc_mean_std(content_feat)
    normalized_feat = (content_feat - content_mean.expand(size)) / content_std.expand(size)
    return normalized_feat * style_std.expand(size) + style_mean.expand(size)


def gram_matrix(x):
    a, b, c, d = x.size()
    features = x.view(a * b, c * d)
    G = torch.mm(features, features.t())
    return G.div(a * b * c * d)


content, style = torch.randn(2, 3, 6, 6), 3 * torch.rand(2, 3, 6, 6) + torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
mixed = adaptive_instance_normalization(content, style)
for name, image in (("content", content), ("style", style), ("mixed", mixed)):
    mean, std = calc_mean_std(image)
    print(f"{name:8}", mean.flatten()[:3], std.flatten()[:3])
norm = nn.InstanceNorm2d(3)
print(norm, list(norm.state_dict()), norm.weight)
print(norm(content)[0, 0, 0], norm(5 * content - 2)[0, 0, 0])
print((norm(content) - norm(5 * content - 2)).abs().max().item() < 1e-4, norm.training == norm.eval().training)


class ConditionalInstanceNorm2d(nn.Module):
    """One gamma and one beta for each style."""

    def __init__(self, channels, styles):
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels, affine=False)
        self.embed = nn.Embedding(styles, 2 * channels)
        self.embed.weight.data[:, :channels].normal_(1, 0.02)
        self.embed.weight.data[:, channels:].zero_()

    def forward(self, x, style):
        gamma, beta = self.embed(style).chunk(2, 1)
        return gamma[..., None, None] * self.norm(x) + beta.view(-1, x.shape[1], 1, 1)


layer = ConditionalInstanceNorm2d(3, 4)
out = layer(content, torch.tensor([0, 3]))
(out - style).pow(2).mean().backward()
print(layer, layer.embed.weight.grad[[0, 1, 3]])

encoder = nn.Sequential(
    nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.InstanceNorm2d(4, affine=True), nn.ReLU()
)
wanted = gram_matrix(encoder(style)).detach()
image = content.clone().requires_grad_(True)
optimizer = torch.optim.Adam([image], lr=0.05)
for step in range(8):
    optimizer.zero_grad()
    features = encoder(image)
    style_loss = F.mse_loss(gram_matrix(features), wanted)
    content_loss = F.mse_loss(features, encoder(content).detach())
    loss = 1e3 * style_loss + content_loss
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        image.clamp_(-3, 3)
    if step % 3 == 0:
        print(f"step {step}: style {style_loss.item():.5f} content {content_loss.item():.5f}")
print(image[0, 0, 0])

tracked = nn.InstanceNorm2d(3, affine=True, track_running_stats=True, momentum=0.2)
for _ in range(3):
    tracked(style)
print(tracked, tracked.running_mean, tracked.running_var, tracked.num_batches_tracked)
print(style.var((2, 3)).mean(0), tracked.eval()(style)[1, 2, 0])
args = (tracked.weight, tracked.bias, tracked.running_mean, tracked.running_var, False, 0.1, 1e-5, False)
print(torch.allclose(torch.instance_norm(style, *args), tracked(style)))
rows = nn.InstanceNorm1d(3)(content.flatten(2))
print(torch.allclose(rows, norm(content).flatten(2), atol=1e-6), nn.InstanceNorm1d(3)(content[0].flatten(1)).shape)
as_batch = F.batch_norm(content.view(1, 6, 6, 6), None, None, training=True).view_as(content)
print(torch.allclose(as_batch, norm(content), atol=1e-6))
for bad in (lambda: norm(torch.randn(2, 3, 1, 1)), lambda: nn.InstanceNorm2d(3, affine=True)(torch.randn(2, 4, 3, 3))):
    try:
        bad()
    except ValueError as error:
        print(type(error).__name__)
