"""What programs written against an inference server do, with the client that NVIDIA publishes (PyPI tritonclient). It knows nothing
of Sira. Usage: triton_client.py ADDRESS; prints `ok` at the end, or what differed."""

import sys
import threading

import ml_dtypes
import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])


def tensor(name, values, datatype):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values)
    return given


def refused(call, code, words):
    try:
        call()
    except InferenceServerException as error:
        assert code in str(error.status()), (error.status(), error.message())
        assert words in error.message(), error.message()
        return
    raise AssertionError(f"{code} was expected")


assert client.is_server_live() and client.is_server_ready()
assert client.get_server_metadata().name == "sira-kernel"
assert client.is_model_ready("linear") and client.is_model_ready("linear", "1")
assert not client.is_model_ready("linear", "7") and not client.is_model_ready("none")
metadata = client.get_model_metadata("linear", as_json=True)
assert metadata["versions"] == ["2", "1"], metadata
assert metadata["inputs"] == [{"name": "rows", "datatype": "FP32", "shape": ["-1", "3"]}], metadata

rows = numpy.arange(12, dtype=numpy.float32).reshape(4, 3)
weights = numpy.array([[1, 0], [0, 1], [1, 1]], dtype=numpy.float32)
for version, factor in (("", 2), ("2", 2), ("1", 1)):
    result = client.infer("linear", [tensor("rows", rows, "FP32")], model_version=version, request_id="r1")
    assert numpy.array_equal(result.as_numpy("product"), rows @ weights * factor)
    assert result.as_numpy("sums").dtype == numpy.float64
    assert result.get_response().id == "r1"
only = client.infer("linear", [tensor("rows", rows, "FP32")], outputs=[triton.InferRequestedOutput("sums")])
assert only.as_numpy("product") is None and only.as_numpy("sums").shape == (1,)

integers = {"INT8": numpy.int8, "INT16": numpy.int16, "INT32": numpy.int32, "INT64": numpy.int64}
integers |= {"UINT8": numpy.uint8, "UINT16": numpy.uint16, "UINT32": numpy.uint32, "UINT64": numpy.uint64}
floats = {"FP16": numpy.float16, "FP32": numpy.float32, "FP64": numpy.float64}
names = {"FP16": "float16", "FP32": "float32", "FP64": "float64"}
cases = [("echo-bool", "BOOL", numpy.array([[True, False]]))]
for datatype, kind in integers.items():
    limits = numpy.iinfo(kind)
    cases.append((f"echo-{datatype.lower()}", datatype, numpy.array([[limits.min, limits.max]], dtype=kind)))
for datatype, kind in floats.items():
    cases.append((f"echo-{names[datatype]}", datatype, numpy.array([[0.1, -numpy.inf, numpy.nan]], dtype=kind)))
for model, datatype, values in cases:
    result = client.infer(model, [tensor("x", values, datatype)]).as_numpy("x")
    assert result.dtype == values.dtype and result.tobytes() == values.tobytes(), model
texts = numpy.array([["zwölf".encode(), b"", b"x" * 1000]], dtype=numpy.object_)
assert client.infer("echo-string", [tensor("x", texts, "BYTES")]).as_numpy("x").tolist() == texts.tolist()
numbers = numpy.array([[1.0, 0.5, -2.0]], dtype=ml_dtypes.bfloat16)
assert numpy.array_equal(client.infer("echo-bfloat16", [tensor("x", numbers, "BF16")]).as_numpy("x"), numbers)

refused(lambda: client.infer("none", []), "NOT_FOUND", "no agent offers")
refused(lambda: client.get_model_metadata("none"), "NOT_FOUND", "no agent offers")
refused(lambda: client.infer("linear", []), "INVALID_ARGUMENT", "missing")
wide = tensor("rows", numpy.zeros((1, 4), dtype=numpy.float32), "FP32")
refused(lambda: client.infer("linear", [wide]), "INVALID_ARGUMENT", "in the shape")
refused(lambda: client.infer("broken", []), "INTERNAL", "the weights are broken")
refused(lambda: client.infer("slow", [], client_timeout=0.5), "DEADLINE_EXCEEDED", "")
refused(lambda: client.infer("slow", [], timeout=300_000), "DEADLINE_EXCEEDED", "no answer within 300 ms")

# Answers that are waited for by call-back, and one that is not waited for any more.
answers = []
arrived = threading.Event()


def answered(result, error):
    answers.append((result, error))
    if len(answers) == 20:
        arrived.set()


for index in range(20):
    client.async_infer("linear", [tensor("rows", rows + index, "FP32")], answered, request_id=str(index))
assert arrived.wait(20)
for result, error in answers:
    assert error is None, error
    index = int(result.get_response().id)
    assert numpy.array_equal(result.as_numpy("product"), (rows + index) @ weights * 2)
gone = threading.Event()
call = client.async_infer("slow", [], lambda result, error: gone.set())
call.cancel()
assert gone.wait(10)

print("ok")
