"""Writes small tensor files with the reference libraries, and what those libraries read in them, as test data.

    python3 -m venv /tmp/tensors && /tmp/tensors/bin/pip install numpy ml_dtypes safetensors onnx pyarrow
    /tmp/tensors/bin/python core/tensor/wire/make-reference-files.py

Writes scenarios/data/tensor-wire/reference/ and, for the ONNX test files of others beside it (and of ../shared where that is
there), onnx-digests.json. Element bits are drawn at random, so that NaNs with payloads, subnormals and -0 are among them. What
is expected is what the library reads back, never what this script meant to write.
"""

import hashlib
import importlib.metadata
import io
import json
import pathlib
import shutil

import ml_dtypes
import numpy
import onnx
import onnx.helper
import onnx.numpy_helper
import pyarrow
import pyarrow.ipc
import safetensors

project = pathlib.Path(__file__).resolve().parents[3]
data = project / "scenarios/data/tensor-wire"
out = data / "reference"
shared = project.parent / "shared/data/tensor-wire"

random = numpy.random.default_rng(20240607)
files = []

# Sira's names of data types, and NumPy's.
TYPES = {
    "bool": numpy.bool_, "int8": numpy.int8, "int16": numpy.int16, "int32": numpy.int32, "int64": numpy.int64,
    "uint8": numpy.uint8, "uint16": numpy.uint16, "uint32": numpy.uint32, "uint64": numpy.uint64,
    "float8_e4m3": ml_dtypes.float8_e4m3fn, "float8_e5m2": ml_dtypes.float8_e5m2,
    "float16": numpy.float16, "bfloat16": ml_dtypes.bfloat16, "float32": numpy.float32, "float64": numpy.float64,
    "complex64": numpy.complex64, "complex128": numpy.complex128,
}
PLAIN = [name for name in TYPES if not name.startswith(("float8", "bfloat"))]


def draw(name, shape):
    """An array of random bits; the first float is a signalling NaN with a payload of its own."""
    count = int(numpy.prod(shape, dtype=int))
    dtype = numpy.dtype(TYPES[name])
    if name == "bool":
        return random.integers(0, 2, shape).astype(bool)
    array = numpy.frombuffer(random.bytes(count * dtype.itemsize), dtype).copy()
    if count > 0 and name in ("float32", "complex64"):
        array.view(numpy.uint32)[0] = 0x7F80BEEF
    if count > 0 and name in ("float64", "complex128"):
        array.view(numpy.uint64)[0] = 0xFFF00000DEADBEEF
    return array.reshape(shape)


def described(array):
    """Shape and row-major little-endian bytes of an array, or its texts."""
    array = numpy.asarray(array)
    if array.dtype.kind in "USO":
        texts = [one.decode() if isinstance(one, bytes) else str(one) for one in array.ravel().tolist()]
        return {"dataType": "string", "shape": list(array.shape), "strings": texts}
    little = array.astype(array.dtype.newbyteorder("<"), order="C") if array.dtype.kind in "iufcb" else array
    name = next(name for name, dtype in TYPES.items() if numpy.dtype(dtype) == array.dtype.newbyteorder("="))
    return {"dataType": name, "shape": list(array.shape), "hex": little.tobytes().hex()}


def save(name, format, content, **expected):
    (out / name).write_bytes(content)
    files.append({"file": name, "format": format, **expected})


def npy(name, array, version=None, canonical=False):
    buffer = io.BytesIO()
    numpy.lib.format.write_array(buffer, array, version=version)
    read = numpy.load(io.BytesIO(buffer.getvalue()))
    save(f"{name}.npy", "npy", buffer.getvalue(), canonical=canonical, tensors=[{"name": "", **described(read)}])


def npy_refused(name, array, reason):
    buffer = io.BytesIO()
    numpy.save(buffer, array, allow_pickle=True)
    save(f"{name}.npy", "npy", buffer.getvalue(), refused=reason)


def make_npy():
    for name in PLAIN:
        npy(f"{name}", draw(name, (2, 3)), canonical=True)
    for name in ("float64", "int16", "complex64"):
        npy(f"{name}-fortran", numpy.asfortranarray(draw(name, (2, 3, 4))))
        npy(f"{name}-big-endian", draw(name, (2, 3)).byteswap().view(numpy.dtype(TYPES[name]).newbyteorder(">")))
    npy("float32-big-endian-fortran",
        numpy.asfortranarray(draw("float32", (3, 2)).byteswap().view(numpy.dtype(">f4"))))
    npy("int32-version-2", draw("int32", (5,)), version=(2, 0))
    npy("int32-version-3", draw("int32", (5,)), version=(3, 0))
    npy("scalar", draw("float32", ()), canonical=True)
    npy("empty", draw("float64", (3, 0, 2)), canonical=True)
    npy("many-axes", draw("uint8", (1,) * 31 + (3,)), canonical=True)
    npy("text", numpy.array([["", "a"], ["δοκιμή", "𝔘nicode"]]), canonical=True)
    npy("text-big-endian", numpy.array(["tensor", "𝔘"]).astype(">U6"))
    npy("text-fortran", numpy.asfortranarray(numpy.array([["a", "bc"], ["d", "ef"], ["g", "h"]])))
    npy("bytes", numpy.array(["naïve".encode(), b"", b"x"]))
    npy_refused("objects", numpy.array([{"a": 1}, None], dtype=object), "pickles")
    npy_refused("bfloat16", draw("bfloat16", (3,)), "raw bytes")
    npy_refused("dates", numpy.array(["2024-06-07"], "M8[D]"), "dates")
    npy_refused("structure", numpy.zeros(2, [("x", "<f4"), ("y", "<i2")]), "fields")
    npy_refused("unicode-structure", numpy.zeros(2, [("größe", "<f4"), ("数", "<i2")]), "outside ASCII")
    npy_refused("long-double", numpy.zeros(2, numpy.longdouble), "no data type")
    npy_refused("latin-bytes", numpy.array([b"\xe9"]), "UTF-8")


def safetensor(name, arrays, metadata=None):
    keep = {key: numpy.ascontiguousarray(array).reshape(array.shape) for key, array in arrays.items()}
    numpy_name = lambda array: "bool" if array.dtype == bool else array.dtype.name
    specs = {key: safetensors.TensorSpec(dtype=numpy_name(array), shape=list(array.shape),
                                         data_ptr=array.ctypes.data, data_len=array.nbytes)
             for key, array in keep.items()}
    content = safetensors.serialize(specs, metadata)
    read = []
    codes = {"F8_E4M3": "float8_e4m3", "F8_E5M2": "float8_e5m2", "BF16": "bfloat16", "F16": "float16", "F32": "float32",
             "F64": "float64", "C64": "complex64", "BOOL": "bool"}
    for key, entry in sorted(safetensors.deserialize(content)):
        dtype = codes.get(entry["dtype"]) or {"I": "int", "U": "uint"}[entry["dtype"][0]] + entry["dtype"][1:]
        read.append({"name": key, "dataType": dtype, "shape": entry["shape"], "hex": bytes(entry["data"]).hex()})
    save(f"{name}.safetensors", "safetensors", content, canonical=True, tensors=read, metadata=metadata or {})


def make_safetensors():
    names = [name for name in TYPES if name != "complex128"]
    safetensor("every-type", {f"{index:02}.{name}": draw(name, (2, 2)) for index, name in enumerate(names)})
    safetensor("names", {name: draw("int16", (1,)) for name in
                         ["b", "a", "a.b", "\u2028", "𝔘", "\uffee", "quote\"d\\", "tab\t\x01", "ß", ""]},
               {"format": "\u2028 \x7f \x01 𝔘"})
    safetensor("shapes", {"scalar": draw("float64", ()), "empty": draw("float32", (0,)), "also-empty": draw("bool", (3, 0)),
                          "odd": draw("uint8", (3,)), "wide": draw("int64", (2, 1, 2))})
    safetensor("nothing", {})
    safetensor("metadata-alone", {}, {"only": "this"})
    scale = numpy.zeros(4, ml_dtypes.float8_e8m0fnu)
    spec = safetensors.TensorSpec(dtype="float8_e8m0fnu", shape=[4], data_ptr=scale.ctypes.data, data_len=4)
    save("unknown-type.safetensors", "safetensors", safetensors.serialize({"scale": spec}, None), refused="no data type")


def onnx_tensor(name, message, canonical=False):
    content = message.SerializeToString()
    read = onnx.TensorProto()
    read.ParseFromString(content)
    array = onnx.numpy_helper.to_array(read)
    save(f"{name}.onnx-tensor", "onnx", content, canonical=canonical, tensors=[{"name": read.name, **described(array)}])


def onnx_refused(name, message, reason):
    save(f"{name}.onnx-tensor", "onnx", message.SerializeToString(), refused=reason)


def make_onnx():
    proto = onnx.TensorProto
    for name in TYPES:
        onnx_tensor(f"{name}-raw", onnx.numpy_helper.from_array(draw(name, (2, 3)), name=name), canonical=True)
    onnx_tensor("text", onnx.numpy_helper.from_array(numpy.array([["", "a"], ["δοκιμή", "𝔘"]], dtype=object), name="t"),
                canonical=True)
    onnx_tensor("scalar", onnx.numpy_helper.from_array(draw("float32", ())), canonical=True)
    onnx_tensor("empty", onnx.numpy_helper.from_array(draw("int64", (0, 2)), name="none"), canonical=True)
    # Typed fields, filled by hand with the bits themselves: make_tensor would pass them through numbers.
    for name, number, field, width in (("float32", proto.FLOAT, "float_data", "<f4"), ("float64", proto.DOUBLE, "double_data", "<f8"),
                                       ("complex64", proto.COMPLEX64, "float_data", "<f4"),
                                       ("complex128", proto.COMPLEX128, "double_data", "<f8"),
                                       ("int64", proto.INT64, "int64_data", "<i8"), ("uint64", proto.UINT64, "uint64_data", "<u8"),
                                       ("uint32", proto.UINT32, "uint64_data", "<u4"), ("int32", proto.INT32, "int32_data", "<i4"),
                                       ("int16", proto.INT16, "int32_data", "<i2"), ("int8", proto.INT8, "int32_data", "<i1"),
                                       ("uint16", proto.UINT16, "int32_data", "<u2"), ("uint8", proto.UINT8, "int32_data", "<u1"),
                                       ("bool", proto.BOOL, "int32_data", "<u1"), ("float16", proto.FLOAT16, "int32_data", "<u2"),
                                       ("bfloat16", proto.BFLOAT16, "int32_data", "<u2"),
                                       ("float8_e4m3", proto.FLOAT8E4M3FN, "int32_data", "<u1"),
                                       ("float8_e5m2", proto.FLOAT8E5M2, "int32_data", "<u1")):
        message = proto(dims=[2, 3], data_type=number, name=name)
        array = draw(name, (2, 3))
        if name in ("float32", "complex64"):  # Python's floats would quieten it; a quiet NaN keeps its payload
            array.view(numpy.uint32)[0, 0] = 0x7FC0BEEF
        getattr(message, field).extend(array.view(width).ravel().tolist())
        onnx_tensor(f"{name}-typed", message)
    external = proto(dims=[2], data_type=proto.FLOAT, data_location=proto.EXTERNAL)
    external.external_data.add(key="location", value="../../../../etc/passwd")
    onnx_refused("external", external, "another file")
    onnx_refused("four-bit", onnx.helper.make_tensor("x", proto.INT4, [2], [1, -2]), "no data type")
    onnx_refused("fnuz", onnx.helper.make_tensor("x", proto.FLOAT8E4M3FNUZ, [2], [1, 2]), "no data type")
    segment = onnx.numpy_helper.from_array(draw("int8", (2,)))
    segment.segment.begin, segment.segment.end = 0, 2
    onnx_refused("segment", segment, "segment")


def flat(value, depth):
    """Values of a fixed-size list, nulls included, down to `depth` axes; `depth` gives the width of each."""
    if not depth:
        return [value]
    if value is None:
        return [None for _ in range(depth[0]) for _ in flat(None, depth[1:])]
    return [one for item in value for one in flat(item, depth[1:])]


def arrow_column(column, field):
    """Elements as little-endian hex (numbers), 0 and 1 (bools) or texts; null for null."""
    kind, widths = field.type, []
    while pyarrow.types.is_fixed_size_list(kind):
        widths.append(kind.list_size)
        kind = kind.value_type
    values = [one for row in column.to_pylist() for one in flat(row, widths)] if widths else None
    base = column
    while pyarrow.types.is_fixed_size_list(base.type):
        base = pyarrow.array([], base.type.value_type) if len(base) == 0 else base.values
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        return {"dataType": "string", "shape": [len(column), *widths], "elements": values or column.to_pylist()}
    if pyarrow.types.is_boolean(kind):
        elements = [None if one is None else f"{int(one):02x}" for one in (values if widths else column.to_pylist())]
        return {"dataType": "bool", "shape": [len(column), *widths], "elements": elements}
    if pyarrow.types.is_fixed_size_binary(kind):
        elements = [one and one.hex() for one in column.to_pylist()]
        return {"dataType": "uint8", "shape": [len(column), kind.byte_width], "elements": elements, "rows": True}
    names = {"halffloat": "float16", "float": "float32", "double": "float64"}
    width = kind.bit_width // 8
    raw = base.buffers()[1].to_pybytes() if len(base) else b""
    bits = [raw[(base.offset + i) * width:(base.offset + i + 1) * width].hex() for i in range(len(base))]
    present = [one is not None for one in values] if widths else column.is_valid().to_pylist()
    is_plain = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
    name = names.get(str(kind), str(kind)) if is_plain else f"int{kind.bit_width}"
    return {"dataType": name, "shape": [len(column), *widths],
            "elements": [one if there else None for one, there in zip(bits, present)]}


def arrow_table(name, batches, options=None, file=False):
    sink = io.BytesIO()
    new = pyarrow.ipc.new_file if file else pyarrow.ipc.new_stream
    with new(sink, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    reader = (pyarrow.ipc.open_file if file else pyarrow.ipc.open_stream)(io.BytesIO(sink.getvalue()))
    read = [reader.get_batch(i) for i in range(reader.num_record_batches)] if file else list(reader)
    expected = [[{"name": field.name, **arrow_column(batch.column(i), field)} for i, field in enumerate(batch.schema)]
                for batch in read]
    save(f"{name}.arrow", "arrow", sink.getvalue(), batches=expected)


def arrow_refused(name, batch, reason, options=None):
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    save(f"{name}.arrow", "arrow", sink.getvalue(), refused=reason)


def numbers(name, count, nulls):
    mask = random.integers(0, 3, count) == 0 if nulls else None
    if name == "bool":
        return pyarrow.array(draw(name, (count,)), mask=mask)
    kinds = {"float16": pyarrow.float16(), "float32": pyarrow.float32(), "float64": pyarrow.float64()}
    array = draw(name, (count,))
    kind = kinds.get(name) or getattr(pyarrow, name)()
    # From buffers, so that no conversion touches the bits of a NaN.
    bitmap = pyarrow.py_buffer(numpy.packbits(~mask, bitorder="little").tobytes()) if nulls else None
    return pyarrow.Array.from_buffers(kind, count, [bitmap, pyarrow.py_buffer(array.tobytes())])


def make_arrow():
    names = [name for name in PLAIN if not name.startswith("complex")]
    batch = lambda count: pyarrow.record_batch(
        {**{name: numbers(name, count, False) for name in names},
         **{f"{name}-null": numbers(name, count, True) for name in names}})
    arrow_table("primitive-stream", [batch(11), batch(3), batch(0)])
    arrow_table("primitive-file", [batch(5), batch(9)], file=True)
    old = pyarrow.ipc.IpcWriteOptions(metadata_version=pyarrow.ipc.MetadataVersion.V4, use_legacy_format=True)
    arrow_table("legacy-stream", [batch(4)], options=old)
    lists = pyarrow.FixedSizeListArray.from_arrays
    texts = pyarrow.array(["", None, "δοκιμή", "𝔘"])
    arrow_table("lists", [pyarrow.record_batch({
        "pairs": lists(numbers("float64", 8, False), 2),
        "matrices": lists(lists(numbers("float32", 24, False), 3), 2),
        "inner-nulls": lists(numbers("int16", 8, True), 2),
        "outer-nulls": pyarrow.array([[1, 2], None, [3, 4], None], pyarrow.list_(pyarrow.int8(), 2)),
        "both-nulls": pyarrow.array([[1, None], None, [3, 4], [None, None]], pyarrow.list_(pyarrow.int32(), 2)),
        "bools": pyarrow.array([[True, None, False]] * 4, pyarrow.list_(pyarrow.bool_(), 3)),
        "texts": texts, "long-texts": texts.cast(pyarrow.large_utf8()),
        "binary": pyarrow.array([b"abc", b"\0\xff\x80", None, b"xyz"], pyarrow.binary(3)),
    })], file=True)
    times = numpy.array([0, 1, -1], "M8[us]")
    arrow_table("times", [pyarrow.record_batch({
        "timestamp": pyarrow.array(times), "date": pyarrow.array([0, 1, -1], pyarrow.date32()),
        "time": pyarrow.array([0, 1, 2], pyarrow.time32("s")), "duration": pyarrow.array([0, 1, -1], pyarrow.duration("ns"))})])
    some = pyarrow.record_batch({"x": pyarrow.array(range(100), pyarrow.int32())})
    arrow_refused("compressed-lz4", some, "compressed", pyarrow.ipc.IpcWriteOptions(compression="lz4"))
    arrow_refused("compressed-zstd", some, "compressed", pyarrow.ipc.IpcWriteOptions(compression="zstd"))
    refusals = {"dictionary": pyarrow.array(["a", "b"]).dictionary_encode(), "decimal": pyarrow.array([1, 2], pyarrow.decimal128(5)),
                "list": pyarrow.array([[1], []]), "struct": pyarrow.array([{"a": 1}, {"a": 2}]), "null": pyarrow.nulls(2),
                "binary": pyarrow.array([b"a", b""]), "view": pyarrow.array(["a", "a text too long to be inlined"], pyarrow.string_view()),
                "map": pyarrow.array([[("k", 1)], []], pyarrow.map_(pyarrow.string(), pyarrow.int8())),
                "interval": pyarrow.array([(1, 2, 3), None], pyarrow.month_day_nano_interval()),
                "sparse-union": pyarrow.UnionArray.from_sparse(pyarrow.array([0, 0], pyarrow.int8()), [pyarrow.array([1, 2])]),
                "dense-union": pyarrow.UnionArray.from_dense(pyarrow.array([0, 0], pyarrow.int8()), pyarrow.array([0, 1], pyarrow.int32()),
                                                             [pyarrow.array([1, 2])]),
                "run-end": pyarrow.RunEndEncodedArray.from_arrays(pyarrow.array([2], pyarrow.int32()), pyarrow.array([7])),
                "list-view": pyarrow.array([[1], []], pyarrow.list_view(pyarrow.int8()))}
    # Each refused column stands before one that must still be found.
    columns = {}
    for name, column in refusals.items():
        columns[name] = column
        columns[f"after-{name}"] = pyarrow.array([len(columns), -len(columns)], pyarrow.int64())
    mixed = pyarrow.record_batch(columns)
    sink = io.BytesIO()
    with pyarrow.ipc.new_stream(sink, mixed.schema) as writer:
        writer.write_batch(mixed)
    expected = [{"name": field.name, **arrow_column(mixed.column(i), field)} if field.name.startswith("after-")
                else {"name": field.name, "refused": True} for i, field in enumerate(mixed.schema)]
    save("mixed.arrow", "arrow", sink.getvalue(), batches=[expected])


def arrow_tensor(name, array):
    sink = pyarrow.BufferOutputStream()
    pyarrow.ipc.write_tensor(pyarrow.Tensor.from_numpy(array), sink)
    content = sink.getvalue().to_pybytes()
    read = pyarrow.ipc.read_tensor(pyarrow.py_buffer(content)).to_numpy()
    save(f"{name}.arrow-tensor", "arrow-tensor", content, tensors=[{"name": "", **described(read)}])


def make_arrow_tensors():
    for name in ("int8", "uint16", "int32", "uint64", "float16", "float32", "float64"):
        arrow_tensor(f"{name}", draw(name, (2, 3)))
    arrow_tensor("fortran", numpy.asfortranarray(draw("float64", (2, 3, 4))))
    arrow_tensor("strided", draw("float32", (4, 6))[::2, ::3])
    arrow_tensor("vector", draw("int16", (5,)))


def digests():
    """What the onnx library reads in others' files: data type, shape, SHA-256 of the row-major bytes or texts."""
    result = {}
    for root in (shared / "onnx", data / "onnx"):
        for path in sorted(root.rglob("*.pb")):
            message = onnx.TensorProto()
            message.ParseFromString(path.read_bytes())
            seen = described(onnx.numpy_helper.to_array(message))
            content = bytes.fromhex(seen["hex"]) if "hex" in seen else "\n".join(seen["strings"]).encode()
            result[str(path.relative_to(root))] = [seen["dataType"], seen["shape"], message.name, hashlib.sha256(content).hexdigest()]
    return result


shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
make_npy()
make_safetensors()
make_onnx()
make_arrow()
make_arrow_tensors()
libraries = {name: importlib.metadata.version(name) for name in ("numpy", "ml_dtypes", "safetensors", "onnx", "pyarrow")}
dump = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
lines = ",\n".join(dump(one) for one in files)
(out / "reference.json").write_text(f'{{"libraries":{dump(libraries)},\n"files":[\n{lines}\n]}}\n')
lines = ",\n".join(f"{dump(key)}:{dump(value)}" for key, value in sorted(digests().items()))
(data / "onnx-digests.json").write_text(f"{{\n{lines}\n}}\n")
print(f"{len(files)} files, {libraries}")
