"""Reads the files that write-tensors.ts wrote with the reference libraries, and its own messages with a decoder made from
tensor-header.ts's description alone, and compares every bit. Called by write-tensors.ts: read-tensors.py FOLDER"""

import importlib.metadata
import json
import pathlib
import struct
import sys

import ml_dtypes
import numpy
import onnx
import onnx.numpy_helper
import pyarrow
import pyarrow.ipc
import safetensors
import xxhash

folder = pathlib.Path(sys.argv[1])
NAMES = {"bool": "bool", "float8_e4m3fn": "float8_e4m3"}
CODES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float8_e4m3", "float8_e5m2",
         "float16", "bfloat16", "float32", "float64", "complex64", "complex128", "string"]
SIZES = dict(zip(CODES, [1, 1, 2, 4, 8, 1, 2, 4, 8, 1, 1, 2, 2, 4, 8, 8, 16]))


def described(name, array):
    if array.dtype.kind in "USO":
        return [name, "string", list(array.shape), [one.decode() if isinstance(one, bytes) else str(one) for one in array.ravel().tolist()]]
    return [name, NAMES.get(array.dtype.name, array.dtype.name), list(array.shape), array.tobytes().hex()]


def read_npy(content, path):
    return [described("x", numpy.load(path, allow_pickle=False))]


def read_safetensors(content, path):
    codes = {"F8_E4M3": "float8_e4m3", "F8_E5M2": "float8_e5m2", "BF16": "bfloat16", "BOOL": "bool", "C64": "complex64"}
    kinds = {"I": "int", "U": "uint", "F": "float"}
    return [[name, codes.get(one["dtype"]) or kinds[one["dtype"][0]] + one["dtype"][1:], one["shape"], bytes(one["data"]).hex()]
            for name, one in sorted(safetensors.deserialize(content))]


def read_onnx(content, path):
    message = onnx.TensorProto()
    message.ParseFromString(content)
    assert message.SerializeToString() == content, "the onnx library serializes it to other bytes"
    return [described(message.name, onnx.numpy_helper.to_array(message))]


def read_arrow_tensor(content, path):
    tensor = pyarrow.ipc.read_tensor(pyarrow.py_buffer(content))
    return [described("x", tensor.to_numpy().reshape(tensor.shape))]


def read_arrow(content, path):
    table = pyarrow.ipc.open_stream(content).read_all()
    table.validate(full=True)
    result = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        shape = [len(column)]
        while pyarrow.types.is_fixed_size_list(column.type):
            shape.append(column.type.list_size)
            column = column.flatten()
        if pyarrow.types.is_string(column.type):
            result.append([name, "string", shape, column.to_pylist()])
        elif pyarrow.types.is_boolean(column.type):
            result.append([name, "bool", shape, bytes(map(int, column.to_pylist())).hex()])
        else:
            kinds = {"halffloat": "float16", "float": "float32", "double": "float64"}
            size = column.type.bit_width // 8
            raw = column.buffers()[1].to_pybytes()[column.offset * size:(column.offset + len(column)) * size]
            result.append([name, kinds.get(str(column.type), str(column.type)), shape, raw.hex()])
    return result


def read_sira(content, path):
    magic, version, code, encoding, rank, flags, *lengths = struct.unpack_from("<4s4B4H", content)
    payload_bytes, sequence, parent, deadline, payload_sum, header_sum = struct.unpack_from("<4Q2I", content, 16)
    assert magic == b"SIRT" and version == 1, "magic"
    shape = list(struct.unpack_from(f"<{rank}Q", content, 56))
    texts, at = [], 56 + 8 * rank
    for length in lengths:
        texts.append(content[at:at + length].decode())
        at += length
    start = -(-at // 64) * 64
    payload = content[start:]
    assert len(payload) == payload_bytes, "payload length"
    assert xxhash.xxh32(payload).intdigest() == payload_sum, "payload checksum"
    seed = xxhash.xxh32(content[:52]).intdigest()
    assert xxhash.xxh32(content[56:start], seed).intdigest() == header_sum, "header checksum"
    expected = json.loads(texts[0])
    label = [sequence, texts[1], deadline if flags & 1 else None, [texts[2], parent] if flags & 2 else None]
    assert expected == label, f"label {label} instead of {expected}"
    if encoding == 0:
        return [["x", CODES[code], shape, payload.hex()]]
    strings, at = [], 0
    while at < len(payload):
        length, = struct.unpack_from("<I", payload, at)
        strings.append(payload[at + 4:at + 4 + length].decode())
        at += 4 + length
    return [["x", CODES[code], shape, strings]]


readers = {"npy": read_npy, "safetensors": read_safetensors, "onnx": read_onnx, "arrow": read_arrow,
           "arrow-tensor": read_arrow_tensor, "sira": read_sira}
counts, wrong = {}, 0
for one in json.loads((folder / "manifest.json").read_text()):
    path = folder / one["file"]
    try:
        found = readers[one["format"]](path.read_bytes(), path)
        expected = sorted(one["tensors"])
        if "metadata" in one and safetensors.safe_open(path, "np").metadata() != one["metadata"]:
            raise AssertionError("metadata differs")
        if sorted(found) != expected:
            raise AssertionError(f"{found} instead of {expected}"[:2000])
    except Exception as error:
        wrong += 1
        print(f"{one['file']}: {type(error).__name__}: {error}")
    count, tensors = counts.get(one["format"], (0, 0))
    counts[one["format"]] = (count + 1, tensors + len(one["tensors"]))
versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in
                     ("numpy", "ml_dtypes", "safetensors", "onnx", "pyarrow", "xxhash"))
print(f"read back with {versions}:")
for name, (count, tensors) in counts.items():
    print(f"  {name}: {count} files, {tensors} tensors")
print("every bit equal" if wrong == 0 else f"{wrong} files differ")
sys.exit(1 if wrong else 0)
