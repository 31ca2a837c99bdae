"""FastAPI calling `model.predict`, as tutorials do."""

import keras
import numpy as np
import uvicorn
from fastapi import FastAPI
from peer import Workload, columns, peer
from pydantic import BaseModel

ME = peer()
app = FastAPI()


class Body(BaseModel):
    """The rows of the one input that each signature has here."""

    instances: list


def add_endpoint(workload: Workload) -> None:
    """`POST /SIGNATURE`."""
    ((name, array),) = workload.inputs.items()
    rows = keras.Input(array.shape[1:], name=name, dtype=str(array.dtype))
    layer = keras.layers.TFSMLayer(ME.model, call_endpoint=workload.signature)
    model = keras.Model(rows, layer(rows))

    @app.post(f"/{workload.signature}")
    def predict(body: Body) -> dict[str, list]:
        outputs = model.predict(np.array(body.instances, array.dtype), verbose=0)
        return {key: value.tolist() for key, value in outputs.items()}


if __name__ == "__main__":
    for each in ME.workloads():
        (values,) = columns(each).values()
        ME.write_json(each, f"/{each.signature}", {"instances": values})
    for one in {each.signature: each for each in ME.workloads()}.values():
        add_endpoint(one)
    uvicorn.run(app, port=ME.http_port, log_level="error")
