"""The same networks in PyTorch, eagerly, on a tensor that is shuffled by index."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def networks(workload: str) -> tuple[nn.Module, nn.Module, int]:
    """Encoder, decoder (to logits) and latent size of the workload."""
    if workload == "dense":
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 500), nn.Tanh(), nn.Linear(500, 40))
        decoder = nn.Sequential(
            nn.Linear(20, 500), nn.Tanh(), nn.Linear(500, 784), nn.Unflatten(1, (1, 28, 28))
        )
        return encoder, decoder, 20
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(7 * 7 * 64, 16),
        nn.ReLU(),
        nn.Linear(16, 4),
    )
    decoder = nn.Sequential(
        nn.Linear(2, 7 * 7 * 64),
        nn.ReLU(),
        nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 64, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
    )
    return encoder, decoder, 2


def trainer(workload: str, x: np.ndarray, batch_size: int) -> Callable[[], None]:
    """A function that trains one epoch."""
    images = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    encoder, decoder, _ = networks(workload)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)

    def epoch() -> None:
        for indices in torch.randperm(len(images)).split(batch_size):
            batch = images[indices].float() / 255
            mean, log_var = encoder(batch).chunk(2, dim=1)
            z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
            logits = decoder(z)
            negative_log_likelihood = functional.binary_cross_entropy_with_logits(
                logits, batch, reduction="sum"
            )
            kl = -0.5 * torch.sum(1 + log_var - mean**2 - log_var.exp())
            loss = (negative_log_likelihood + kl) / len(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch
