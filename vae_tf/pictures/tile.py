"""The arrangement of many images in one array."""

import numpy as np

from vae_tf.utils.errors import InputError


def tile(
    images: np.ndarray,
    rows: int,
    columns: int,
    *,
    gap: tuple[int, int] = (0, 0),
    fill: float = 1.0,
) -> np.ndarray:
    """Puts images into a grid, row by row: image k is in row k // columns, column k % columns.

    Args:
        images: `[N, H, W, C]`, N at most `rows * columns`. Cells without an image are `fill`.
        rows: Cells from top to bottom.
        columns: Cells from left to right.
        gap: Pixels between rows, and between columns. There is none around the grid.
        fill: The value of gaps and empty cells.

    Returns:
        `[rows * H + (rows - 1) * gap[0], columns * W + (columns - 1) * gap[1], C]`, in the dtype of
        `images`.

    Raises:
        InputError: Not `[N, H, W, C]`, or more images than cells.
    """
    if images.ndim != 4:
        raise InputError(f"`images` has shape {images.shape}, but a grid needs [N, H, W, C].")
    number, height, width, channels = images.shape
    if number > rows * columns:
        raise InputError(f"{number} images do not fit into {rows} rows of {columns} cells.")
    down, across = gap
    # A gap below and to the right of every cell; the outermost are cut off at the end.
    cells = np.full(
        (rows * columns, height + down, width + across, channels), fill, dtype=images.dtype
    )
    cells[:number, :height, :width] = images
    grid = cells.reshape(rows, columns, height + down, width + across, channels)
    grid = grid.transpose(0, 2, 1, 3, 4)  # [rows, H, columns, W, C]
    grid = grid.reshape(rows * (height + down), columns * (width + across), channels)
    return grid[: len(grid) - down, : grid.shape[1] - across]


def near_square(number: int) -> tuple[int, int]:
    """Returns (rows, columns) for `number` cells: wider than high, full last row where one exists.

    A divisor between the square root and twice it gives a full grid (10 -> 2 x 5, 12 -> 3 x 4,
    64 -> 8 x 8); otherwise the smallest square that holds all, less its empty rows (7 -> 3 x 3).
    """
    root = int(np.ceil(np.sqrt(number)))
    for columns in range(root, 2 * root + 1):
        if number % columns == 0:
            return number // columns, columns
    return -(-number // root), root
