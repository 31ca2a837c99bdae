import keras


def network(units: int, hidden: int = 0, **inputs: tuple[int, ...]) -> keras.Model:
    """Dense layers from named inputs, with seeded weights; one input goes in without a name."""
    entries = {name: keras.Input(shape, name=name) for name, shape in inputs.items()}
    h = [keras.layers.Flatten()(entry) for entry in entries.values()]
    h = keras.layers.Concatenate()(h) if len(h) > 1 else h[0]
    for seed, (size, activation) in enumerate([(hidden, "tanh")] * bool(hidden) + [(units, None)]):
        initializer = keras.initializers.GlorotUniform(seed=seed + units)
        h = keras.layers.Dense(size, activation, kernel_initializer=initializer)(h)
    return keras.Model(entries if len(entries) > 1 else next(iter(entries.values())), h)


def affine(kernels: dict[str, list], bias) -> keras.Model:
    """Σ input @ kernel + bias."""
    import numpy as np

    units = len(bias)
    model = network(units, **{name: (len(kernel),) for name, kernel in kernels.items()})
    model.set_weights([np.concatenate(list(kernels.values())), np.asarray(bias)])
    return model
