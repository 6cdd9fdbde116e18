"""Writes scenarios/data/tensor-wire/tricky/: malformed tensor files, each with a part of the error that it must get.

    python3 core/tensor/wire/make-tricky-files.py    (the standard library alone)

A file that ever crashed, hung or filled the memory of a reader belongs here too.
"""

import json
import pathlib
import shutil
import struct

out = pathlib.Path(__file__).resolve().parents[3] / "scenarios/data/tensor-wire/tricky"
cases = []


def case(name, content, error):
    (out / name).write_bytes(content)
    cases.append({"file": name, "error": error})


# .npy ------------------------------------------------------------------------------------------------------------------

def npy(header, payload=b"", version=(1, 0), length=None):
    if isinstance(header, str):
        header = header.encode("latin-1")
    width = "<H" if version[0] == 1 else "<I"
    return b"\x93NUMPY" + bytes(version) + struct.pack(width, len(header) if length is None else length) + header + payload


def array(descr="'<f4'", order="False", shape="(2,)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def make_npy():
    eight = b"\0" * 8
    case("no-magic.npy", b"\x93NUMPX\x01\0\0\0", "the magic is missing")
    case("empty.npy", b"", "byte 0: magic takes 6 bytes, but 0 are left")
    case("version-0.npy", npy(array(), eight, (0, 0)), "byte 6: version 0.0")
    case("version-4.npy", npy(array(), eight, (4, 0)), "byte 6: version 4.0")
    case("version-1.1.npy", npy(array(), eight, (1, 1)), "byte 6: version 1.1")
    case("header-too-long.npy", npy(array(), eight, length=60000), "byte 10: header takes 60000 bytes")
    case("header-of-4-gib.npy", npy(array(), eight, (2, 0), 2**32 - 1), "byte 8: a header of 4294967295 bytes; the limit")
    case("pickle.npy", npy(array("'|O'"), b"cos\nsystem\n(S'true'\ntR."), "hold pickles, which are never read")
    case("pickle-with-order.npy", npy(array("'<O8'"), b"\x80\x03."), "hold pickles, which are never read")
    case("pickle-in-a-field.npy", npy(array("[('x', '|O')]"), b"\x80\x03."), "a type with fields")
    case("expression.npy", npy(array(shape="(__import__('os').getpid(),)"), eight), "an extent that is no whole number")
    case("product.npy", npy(array(shape="(2*1,)"), eight), ", or ) is due here")
    case("negative.npy", npy(array(shape="(-2,)"), eight), "an extent that is no whole number")
    case("fraction.npy", npy(array(shape="(2.0,)"), eight), ", or ) is due here")
    case("no-tuple.npy", npy(array(shape="(2)"), eight), "a shape that is no tuple")
    case("list.npy", npy(array(shape="[2]"), eight), "( is due here")
    case("overflow.npy", npy(array(shape="(4294967296, 4294967296)"), eight), "overflows the count of elements")
    case("overflow-and-zero.npy", npy(array(shape="(0, 4294967296, 4294967296)")), "overflows the count of elements")
    case("overflow-to-two.npy", npy(array(shape="(9223372036854775809, 2)"), eight), "byte ")
    case("extent-of-many-digits.npy", npy(array(shape="(" + "9" * 5000 + ",)"), eight), "above 2^53")
    case("huge.npy", npy(array(shape="(1099511627776,)"), eight), "more than 1073741824 elements, the limit")
    case("rank-33.npy", npy(array(shape="(" + "1, " * 33 + ")"), b"\0" * 4), "more than 32 axes")
    case("nested-shape.npy", npy(array(shape="(" * 20000), eight), "an extent that is no whole number")
    case("nested-dict.npy", npy("{" * 20000, eight), "byte 11: \" is due here")
    case("key-twice.npy", npy("{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n", eight), "unknown or comes twice")
    case("key-unknown.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}\n", eight), "key \"x\" is unknown")
    case("key-missing.npy", npy("{'descr': '<f4', 'shape': (2,), }\n", eight), "is missing")
    case("order-as-number.npy", npy(array(order="1"), eight), "False is due here")
    case("order-as-text.npy", npy(array(order="'True'"), eight), "False is due here")
    case("no-end.npy", npy("{'descr': '<f4"), "a string without end")
    case("escape.npy", npy(array("'\\x3cf4'"), eight), "an escape")
    case("behind-the-dict.npy", npy(array().strip() + " or 1\n", eight), "something after")
    case("no-byte-order.npy", npy(array("'f4'"), eight), "does not say its byte order")
    case("native-byte-order.npy", npy(array("'=f4'"), eight), "no data type '=f4'")
    case("float-of-3-bytes.npy", npy(array("'<f3'"), eight), "no data type '<f3'")
    case("payload-short.npy", npy(array(), b"\0" * 7), "array takes 8 bytes, but 7 are left")
    case("payload-long.npy", npy(array(), b"\0" * 9), "1 bytes after the array")
    case("fortran-short.npy", npy(array(order="True", shape="(2, 3)"), b"\0" * 20), "array takes 24 bytes")
    case("bool-of-2.npy", npy(array("'|b1'"), b"\1\2"), "a bool of 2; it is 0 or 1")
    case("texts-of-no-width.npy", npy(array("'<U0'", shape="(4000000,)")), "texts of no width")
    case("texts-too-many.npy", npy(array("'|S1'", shape="(1000000000,)")), "more than 4194304 elements")
    case("texts-too-wide.npy", npy(array("'<U999999999'", shape="(1,)")), "texts of 999999999")
    case("surrogate.npy", npy(array("'<U1'", shape="(1,)"), struct.pack("<I", 0xD800)), "no Unicode text")
    case("beyond-unicode.npy", npy(array("'<U1'", shape="(1,)"), struct.pack("<I", 0x110000)), "no Unicode text")


# safetensors ------------------------------------------------------------------------------------------------------------

def safetensors(header, payload=b"", length=None):
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + payload


def entry(dtype="F32", shape="[1]", offsets="[0,4]"):
    return f'{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'


def make_safetensors():
    four, one = b"\0" * 4, entry()
    case("empty.safetensors", b"", "byte 0: header length takes 8 bytes")
    case("no-header.safetensors", safetensors(""), "the end where { is due")
    case("header-of-2-to-the-63.safetensors", safetensors("{}", length=2**63), "byte 0: header length is above 2^53")
    case("header-beyond-limit.safetensors", safetensors("{}", length=2**40), "the limit is 16777216")
    case("header-cut.safetensors", safetensors("{}", length=3), "header takes 3 bytes, but 2 are left")
    case("array.safetensors", safetensors("[]"), "[ where { is due")
    case("no-utf8.safetensors", safetensors(b'{"\xff":' + one.encode() + b"}", four), "not UTF-8")
    case("overlong-utf8.safetensors", safetensors(b'{"\xc0\x80":' + one.encode() + b"}", four), "not UTF-8")
    case("surrogate.safetensors", safetensors(f'{{"\\ud800":{one}}}', four), "half a surrogate pair")
    case("surrogates-turned.safetensors", safetensors(f'{{"\\udc00\\ud800":{one}}}', four), "half a surrogate pair")
    case("escape-unknown.safetensors", safetensors(f'{{"\\x41":{one}}}', four), "an escape that JSON does not have")
    case("escape-cut.safetensors", safetensors('{"\\u00'), "an escape without end")
    case("control-character.safetensors", safetensors('{"a\nb":' + one + "}", four), "a control character")
    case("no-end.safetensors", safetensors('{"a":' + one), "the end where } is due")
    case("comma-at-end.safetensors", safetensors(f'{{"a":{one},}}', four), "} where \" is due")
    case("two-objects.safetensors", safetensors(f'{{"a":{one}}}{{}}', four), "more than one object")
    case("nested-arrays.safetensors", safetensors('{"a":' + "[" * 20000), "[ where { is due")
    case("nested-objects.safetensors", safetensors('{"a":' * 20000), "means nothing here")
    case("nested-metadata.safetensors", safetensors('{"__metadata__":' + '{"a":' * 20000), "{ where \" is due")
    case("nested-shape.safetensors", safetensors(f'{{"a":{entry(shape="[[1]]")}}}', four), "[ where a whole number")
    case("name-twice.safetensors", safetensors(f'{{"a":{one},"a":{one}}}', four), 'key "a" twice')
    case("name-twice-by-escape.safetensors", safetensors(f'{{"a":{one},"\\u0061":{one}}}', four), 'key "a" twice')
    case("metadata-twice.safetensors", safetensors('{"__metadata__":{},"__metadata__":{}}'), "twice in one object")
    case("metadata-key-twice.safetensors", safetensors('{"__metadata__":{"a":"","a":""}}'), 'key "a" twice')
    case("metadata-number.safetensors", safetensors('{"__metadata__":{"a":1}}'), "1 where \" is due")
    case("dtype-twice.safetensors", safetensors('{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', four), 'key "dtype" twice')
    case("dtype-unknown.safetensors", safetensors(f'{{"a":{entry("F31")}}}', four), 'no data type "F31"')
    case("dtype-of-prototype.safetensors", safetensors(f'{{"a":{entry("constructor")}}}', four), 'no data type "constructor"')
    case("name-of-prototype.safetensors", safetensors(f'{{"__proto__":{entry(offsets="[0,3]")}}}', b"\0" * 3), "is 4 bytes, not 3")
    case("dtype-missing.safetensors", safetensors('{"a":{"shape":[1],"data_offsets":[0,4]}}', four), "lacks dtype")
    case("key-unknown.safetensors", safetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":0}}', four), 'key "x" means nothing')
    case("negative-extent.safetensors", safetensors(f'{{"a":{entry(shape="[-1]")}}}', four), "- where a whole number")
    case("fraction.safetensors", safetensors(f'{{"a":{entry(shape="[1.0]")}}}', four), ". where ] is due")
    case("exponent.safetensors", safetensors(f'{{"a":{entry(shape="[1e0]")}}}', four), "e where ] is due")
    case("leading-zero.safetensors", safetensors(f'{{"a":{entry(shape="[01]")}}}', four), "a leading zero")
    case("beyond-2-to-the-53.safetensors", safetensors(f'{{"a":{entry(shape="[9007199254740993]")}}}', four), "a number above 2^53")
    case("overflow.safetensors", safetensors(f'{{"a":{entry(shape="[4294967296,4294967296]")}}}', four), "overflows the count")
    case("overflow-to-nothing.safetensors", safetensors(f'{{"a":{entry(shape="[2147483648,2147483648,4]", offsets="[0,0]")}}}'), "overflows the count")
    case("huge.safetensors", safetensors(f'{{"a":{entry(shape="[1099511627776]", offsets="[0,4398046511104]")}}}'), "the limit")
    case("rank-33.safetensors", safetensors(f'{{"a":{entry(shape="[" + ",".join(["1"] * 33) + "]")}}}', four), "more than 32 numbers")
    case("size-wrong.safetensors", safetensors(f'{{"a":{entry(shape="[2]")}}}', four), "is 8 bytes, not 4")
    case("offsets-overlap.safetensors", safetensors(f'{{"a":{entry(shape="[2]", offsets="[0,8]")},"b":{entry(offsets="[4,8]")}}}', b"\0" * 8), "\"b\" begins at offset 4")
    case("offsets-same.safetensors", safetensors(f'{{"a":{one},"b":{one}}}', four), "begins at offset 0")
    case("offsets-with-hole.safetensors", safetensors(f'{{"a":{one},"b":{entry(offsets="[8,12]")}}}', b"\0" * 12), "\"b\" begins at offset 8")
    case("offsets-turned.safetensors", safetensors(f'{{"a":{entry(offsets="[4,0]")}}}', four), "are not [begin, end]")
    case("offsets-one.safetensors", safetensors(f'{{"a":{entry(offsets="[0]")}}}', four), "are not [begin, end]")
    case("offsets-three.safetensors", safetensors(f'{{"a":{entry(offsets="[0,4,4]")}}}', four), "more than 2 numbers")
    case("offsets-beyond.safetensors", safetensors(f'{{"a":{entry()}}}', b"\0" * 3), "\"a\" ends at offset 4 of 3")
    case("bytes-left-over.safetensors", safetensors(f'{{"a":{one}}}', b"\0" * 5), "1 bytes that belong to no tensor")
    case("bool-of-255.safetensors", safetensors(f'{{"a":{entry("BOOL", "[1]", "[0,1]")}}}', b"\xff"), "a bool of 255")
    case("zeros-behind-header.safetensors", safetensors(f'{{"a":{one}}}\0\0', four), "more than one object")


# ONNX -------------------------------------------------------------------------------------------------------------------

def varint(value):
    value &= 2**64 - 1
    result = b""
    while value > 127:
        result += bytes([value & 127 | 128])
        value >>= 7
    return result + bytes([value])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def make_onnx():
    two_floats = field(1, 2) + field(2, 1)
    eight = b"\0" * 8
    case("empty.onnx-tensor", b"", "byte 0: no data_type")
    case("endless-varint.onnx-tensor", b"\x08" + b"\xff" * 100, "byte 1: a varint above 64 bits")
    case("varint-of-70-bits.onnx-tensor", b"\x08" + b"\x80" * 9 + b"\x02", "byte 1: a varint above 64 bits")
    case("varint-cut.onnx-tensor", b"\x08\x80", "varint takes 1 bytes, but 0 are left")
    case("length-beyond.onnx-tensor", two_floats + b"\x4a\x7f", "a field of 127 bytes, but 0 are left")
    case("length-of-2-to-the-64.onnx-tensor", two_floats + b"\x4a" + varint(2**64 - 1), "a field of 18446744073709551615 bytes")
    case("field-0.onnx-tensor", b"\x00\x00", "no field has number 0")
    case("group.onnx-tensor", b"\x0b" * 1000, "wire type 3 is refused")
    case("wire-type-7.onnx-tensor", b"\x0f", "wire type 7 is refused")
    case("fixed-cut.onnx-tensor", two_floats + b"\x25\x00", "field takes 4 bytes, but 1 are left")
    case("no-type.onnx-tensor", field(1, 2) + field(9, eight), "no data_type")
    case("type-0.onnx-tensor", field(2, 0), "no data type for ONNX's number 0")
    case("type-negative.onnx-tensor", field(2, -1), "no data type for ONNX's number -1")
    case("type-fnuz.onnx-tensor", field(1, 1) + field(2, 18) + field(9, b"\0"), "no data type for ONNX's number 18")
    case("type-twice.onnx-tensor", two_floats + field(2, 6) + field(9, eight), "field 2 comes twice")
    case("type-as-bytes.onnx-tensor", field(2, b"\x01"), "field 2 has wire type 2, not 0")
    case("raw-as-number.onnx-tensor", two_floats + field(9, 7), "field 9 has wire type 0, not 2")
    case("raw-twice.onnx-tensor", two_floats + field(9, eight) + field(9, eight), "field 9 comes twice")
    case("raw-and-typed.onnx-tensor", two_floats + field(9, eight) + field(4, eight), "raw_data and a typed field at once")
    case("raw-short.onnx-tensor", two_floats + field(9, b"\0" * 7), "7 bytes for float32 of shape [2], which takes 8")
    case("raw-long.onnx-tensor", two_floats + field(9, b"\0" * 9), "9 bytes for float32 of shape [2], which takes 8")
    case("no-data.onnx-tensor", two_floats, "0 elements for float32 of shape [2]")
    case("negative-extent.onnx-tensor", field(1, -2) + field(2, 1) + field(9, eight), "an extent of -2")
    case("extent-beyond-2-to-the-53.onnx-tensor", field(1, 2**53) + field(2, 1), "an extent of 9007199254740992")
    case("overflow.onnx-tensor", field(1, 2**32) + field(1, 2**32) + field(2, 1), "overflows the count of elements")
    case("huge-typed.onnx-tensor", field(1, 2**30) + field(2, 6) + field(5, b"\0"), "1 bytes of field 5 for 1073741824 elements")
    case("huge.onnx-tensor", field(1, 2**40) + field(2, 6) + field(5, b"\0"), "the limit")
    case("rank-33.onnx-tensor", field(1, 1) * 33 + field(2, 1), "more than 32 axes")
    case("rank-33-packed.onnx-tensor", field(1, b"\1" * 33) + field(2, 1), "more than 32 axes")
    case("field-of-another-type.onnx-tensor", two_floats + field(5, b"\0\0"), "field 5 does not hold float32")
    case("two-typed-fields.onnx-tensor", field(1, 1) + field(2, 6) + field(7, b"\0") + field(5, b"\0"), "several typed fields at once")
    case("typed-short.onnx-tensor", field(1, 3) + field(2, 6) + field(5, b"\1\x80\1"), "2 elements instead of 3")
    case("typed-long.onnx-tensor", field(1, 1) + field(2, 6) + field(5, b"\1\2"), "more than the 1 elements")
    case("typed-floats-cut.onnx-tensor", two_floats + field(4, b"\0" * 7), "7 bytes of field 4 for 2 elements")
    case("int8-of-128.onnx-tensor", field(1, 1) + field(2, 3) + field(5, varint(128)), "128 does not fit int8")
    case("uint8-of-minus-1.onnx-tensor", field(1, 1) + field(2, 2) + field(5, varint(-1)), "-1 does not fit uint8")
    case("uint32-of-2-to-the-32.onnx-tensor", field(1, 1) + field(2, 12) + field(11, varint(2**32)), "does not fit uint32")
    case("bool-of-2.onnx-tensor", field(1, 1) + field(2, 9) + field(5, b"\2"), "2 does not fit bool")
    case("bool-of-2-raw.onnx-tensor", field(1, 1) + field(2, 9) + field(9, b"\2"), "a bool of 2")
    case("text-not-utf8.onnx-tensor", field(1, 1) + field(2, 8) + field(6, b"\xff"), "a string that is not UTF-8")
    case("texts-missing.onnx-tensor", field(1, 2) + field(2, 8) + field(6, b"a"), "1 strings for string of shape [2]")
    case("texts-raw.onnx-tensor", field(1, 1) + field(2, 8) + field(9, b"a"), "strings stand in string_data")
    case("texts-for-floats.onnx-tensor", two_floats + field(6, b"aaaa"), "string_data for float32")
    case("external-location.onnx-tensor", two_floats + field(13, field(1, b"location") + field(2, b"/etc/passwd")), "never opened")
    case("external-alone.onnx-tensor", two_floats + field(9, eight) + field(14, 1), "never opened")
    case("name-not-utf8.onnx-tensor", two_floats + field(8, b"\xed\xa0\x80") + field(9, eight), "a string that is not UTF-8")
    case("name-too-long.onnx-tensor", two_floats + field(8, b"a" * 1025) + field(9, eight), "a name of 1025 bytes")


# Arrow ------------------------------------------------------------------------------------------------------------------

class Flat:
    """FlatBuffers by hand, wrong ones included. What is made last lies first, since offsets only lead forward."""

    def __init__(self):
        self.pieces = []  # content, place within it that offsets lead to, references: (place, piece)

    def add(self, content, inner, refs):
        self.pieces.append((bytearray(content), inner, refs))
        return len(self.pieces) - 1

    def table(self, fields):
        """fields: index → (struct format, value), or ("ref", piece)."""
        top = max(fields, default=-1) + 1
        inner = (4 + 2 * top + 7) // 8 * 8
        content = bytearray(inner) + struct.pack("<i", inner)
        places, refs = [0] * top, []
        for index, (kind, value) in fields.items():
            size = 4 if kind == "ref" else struct.calcsize("<" + kind[0])
            content += bytes(-len(content) % size)
            places[index] = len(content) - inner
            if kind == "ref":
                refs.append((len(content), value))
            content += bytes(4) if kind == "ref" else struct.pack("<" + kind, *(value if isinstance(value, tuple) else (value,)))
        struct.pack_into(f"<HH{top}H", content, 0, 4 + 2 * top, len(content) - inner, *places)
        return self.add(content, inner, refs)

    def vector(self, items, refs=False, count=None):
        """Items in bytes, or pieces. The count stands 4 bytes before a multiple of 8."""
        content = bytearray(4) + struct.pack("<I", len(items) if count is None else count)
        references = [(8 + 4 * index, piece) for index, piece in enumerate(items)] if refs else []
        for item in items:
            content += bytes(4) if refs else item
        return self.add(content, 4, references)

    def text(self, value):
        return self.vector([value.encode() + b"\0"], count=len(value.encode()))

    def finish(self, root):
        result, starts = bytearray(8), {}
        for index in reversed(range(len(self.pieces))):
            result += bytes(-len(result) % 8)
            starts[index] = len(result)
            result += self.pieces[index][0]
        for index, (_, _, refs) in enumerate(self.pieces):
            for place, piece in refs:
                at = starts[index] + place
                target = starts[piece] + self.pieces[piece][1]
                struct.pack_into("<I", result, at, (target - at) & 0xFFFFFFFF)
        struct.pack_into("<I", result, 0, starts[root] + self.pieces[root][1])
        return bytes(result + bytes(-len(result) % 8))


def message(build, kind, body=b"", body_length=None, version=4):
    flat = Flat()
    header = build(flat)
    fields = {0: ("h", version), 1: ("B", kind), 2: ("ref", header), 3: ("q", len(body) if body_length is None else body_length)}
    content = flat.finish(flat.table(fields))
    return struct.pack("<II", 0xFFFFFFFF, len(content)) + content + body


def int_field(flat, bits=32, name="x", type_number=2):
    kind = flat.table({0: ("i", bits), 1: ("B", 1)})
    return flat.table({0: ("ref", flat.text(name)), 2: ("B", type_number), 3: ("ref", kind)})


def schema(endianness=0, fields=lambda flat: [int_field(flat)], **options):
    return message(lambda flat: flat.table({0: ("h", endianness), 1: ("ref", flat.vector(fields(flat), refs=True))}), 1, **options)


def batch(length=2, nodes=((2, 0),), buffers=((0, 0), (0, 8)), body=b"\0" * 8, **options):
    def build(flat):
        pair = lambda pairs: flat.vector([struct.pack("<qq", *one) for one in pairs])
        return flat.table({0: ("q", length), 1: ("ref", pair(nodes)), 2: ("ref", pair(buffers))})
    return message(build, 3, body, **options)


def tensor(sizes=(2, 3), strides=(), bits=16, data=(0, 12), body=b"\0" * 16, type_number=2):
    def build(flat):
        dims = flat.vector([flat.table({0: ("q", size)}) for size in sizes], refs=True)
        fields = {0: ("B", type_number), 1: ("ref", flat.table({0: ("i", bits), 1: ("B", 1)})), 2: ("ref", dims), 4: ("qq", data)}
        if strides:
            fields[3] = ("ref", flat.vector([struct.pack("<q", one) for one in strides]))
        return flat.table(fields)
    return message(build, 4, body)


def shared_fields(flat):
    """A thousand children that are one table, each with a thousand children that are one table …"""
    leaf = int_field(flat)
    for _ in range(8):
        kind = flat.table({})
        children = flat.vector([leaf] * 1000, refs=True)
        leaf = flat.table({2: ("B", 13), 3: ("ref", kind), 5: ("ref", children)})
    return [leaf]


def cyclic_fields(flat):
    loop = len(flat.pieces)
    inner = flat.table({2: ("B", 13), 3: ("ref", loop + 1), 5: ("ref", loop + 2)})
    flat.table({})
    flat.vector([loop], refs=True)
    return [inner]


def shared_text(flat):
    name = flat.text("n" * 1000)
    kind = flat.table({0: ("i", 32), 1: ("B", 1)})
    return [flat.table({0: ("ref", name), 2: ("B", 2), 3: ("ref", kind)}) for _ in range(500)]


def make_arrow():
    good = schema()
    end = struct.pack("<II", 0xFFFFFFFF, 0)
    case("empty.arrow", b"", "no stream: it begins with a schema")
    case("cut.arrow", good[:40], "metadata takes")
    case("length-beyond.arrow", struct.pack("<II", 0xFFFFFFFF, 1000) + b"\0" * 8, "metadata takes 1000 bytes")
    case("length-of-4-gib.arrow", struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFF0), "metadata of 4294967280 bytes; the limit")
    case("root-outside.arrow", struct.pack("<IIII", 0xFFFFFFFF, 8, 1000, 0), "leads outside of the metadata")
    case("vtable-outside.arrow", struct.pack("<IIIi", 0xFFFFFFFF, 8, 4, 2**31 - 1), "leads outside of the metadata")
    case("vtable-before.arrow", struct.pack("<IIIi", 0xFFFFFFFF, 8, 4, 2**30), "leads outside of the metadata")
    case("version-3.arrow", schema(version=2), "metadata version V3")
    case("version-6.arrow", schema(version=5), "metadata version V6")
    case("big-endian.arrow", schema(1), "big-endian columns")
    case("no-schema.arrow", batch(), "no stream: it begins with a schema")
    case("two-schemas.arrow", good + good, "message 1 has no place in a stream")
    case("body-negative.arrow", schema(body_length=-8), "is no size")
    case("body-beyond.arrow", good + batch(body_length=2**50), "body takes")
    case("behind-the-end.arrow", good + end + b"\0", "1 bytes after the end")
    case("int-of-24-bits.arrow", schema(fields=lambda flat: [int_field(flat, 24)]), "or its width is")
    case("type-unknown.arrow", schema(fields=lambda flat: [int_field(flat, type_number=99)]), "type 99 is unknown")
    case("type-missing.arrow", schema(fields=lambda flat: [flat.table({2: ("B", 2)})]), "a field without type")
    case("list-without-child.arrow", schema(fields=lambda flat: [flat.table({2: ("B", 16), 3: ("ref", flat.table({0: ("i", 2)}))})]), "a list without its one child")
    case("list-of-negative-size.arrow", schema(fields=lambda flat: [flat.table({2: ("B", 16), 3: ("ref", flat.table({0: ("i", -2)})), 5: ("ref", flat.vector([int_field(flat)], refs=True))})]), "a size of -2")
    case("fields-shared.arrow", schema(fields=shared_fields), "the same table over and over")
    case("fields-cyclic.arrow", schema(fields=cyclic_fields), "byte ")
    case("text-shared.arrow", schema(fields=shared_text), "the same text over and over")
    case("vector-of-2-to-the-32.arrow", message(lambda flat: flat.table({1: ("ref", flat.vector([], count=2**32 - 1))}), 1), "leads outside of the metadata")
    case("compressed.arrow", good + message(lambda flat: flat.table({0: ("q", 2), 3: ("ref", flat.table({}))}), 3), "a compressed record batch")
    case("no-nodes.arrow", good + batch(nodes=()), "fewer nodes than the schema has")
    case("more-nodes.arrow", good + batch(nodes=((2, 0), (2, 0))), "more nodes or buffers than the schema has")
    case("no-buffers.arrow", good + batch(buffers=()), "fewer buffers than the schema has")
    case("node-of-another-length.arrow", good + batch(nodes=((3, 0),)), "\"x\" has 3 values, not 2")
    case("node-negative.arrow", good + batch(nodes=((-2, 0),)), "is no size")
    case("rows-of-2-to-the-50.arrow", good + batch(2**50, ((2**50, 0),)), "the limit")
    case("rows-beyond-buffer.arrow", good + batch(2**20, ((2**20, 0),)), "a buffer of 8 bytes instead of 4194304")
    case("buffer-beyond-body.arrow", good + batch(buffers=((0, 0), (8, 8))), "a buffer beyond the body")
    case("buffer-overflows.arrow", good + batch(buffers=((0, 0), (2**53 - 8, 8))), "a buffer beyond the body")
    case("buffer-negative.arrow", good + batch(buffers=((0, 0), (-8, 8))), "is no size")
    case("buffers-overlap.arrow", good + batch(nodes=((2, 1),), buffers=((0, 8), (0, 8))), "overlap or come out of order")
    case("nulls-without-bitmap.arrow", good + batch(nodes=((2, 1),)), "has nulls, but no bitmap")
    utf8 = schema(fields=lambda flat: [int_field(flat, type_number=5)])
    texts = lambda offsets, data: batch(buffers=((0, 0), (0, 12), (16, len(data))), body=struct.pack("<3I", *offsets) + bytes(4) + data + bytes(8))
    case("texts-turned.arrow", utf8 + texts((2, 1, 2), b"ab"), "offsets 2 to 1")
    case("texts-beyond.arrow", utf8 + texts((0, 1, 4096), b"ab"), "offsets 1 to 4096")
    case("texts-cut-in-a-character.arrow", utf8 + texts((0, 1, 2), "é".encode()), "a string that is not UTF-8")
    case("no-tensor.arrow-tensor", good, "no Tensor message")
    case("sparse.arrow-tensor", message(lambda flat: flat.table({}), 5), "a sparse tensor")
    case("no-data.arrow-tensor", message(lambda flat: flat.table({0: ("B", 2), 1: ("ref", flat.table({0: ("i", 16)}))}), 4), "a tensor without data")
    case("type-text.arrow-tensor", tensor(type_number=5), "which is no number")
    case("data-beyond.arrow-tensor", tensor(data=(8, 12)), "data beyond the body")
    case("data-short.arrow-tensor", tensor(data=(0, 10)), "10 bytes for [2, 3]")
    case("negative-extent.arrow-tensor", tensor((-2, 3)), "is no size")
    case("overflow.arrow-tensor", tensor((2**32, 2**32)), "overflows the count of elements")
    case("huge.arrow-tensor", tensor((2**40,)), "the limit")
    case("rank-33.arrow-tensor", tensor((1,) * 33), "33 axes; the limit is 32")
    case("strides-too-few.arrow-tensor", tensor(strides=(6,)), "strides that are not whole elements of 2 axes")
    case("strides-odd.arrow-tensor", tensor(strides=(6, 1)), "strides that are not whole elements")
    case("strides-beyond.arrow-tensor", tensor(strides=(12, 2)), "reaches elements 0 to 8 of data that holds 6")
    case("strides-negative.arrow-tensor", tensor(strides=(6, -2)), "is no size")
    case("strides-of-zero.arrow-tensor", tensor((2**20, 2**10), (0, 2)), "12 bytes for [1048576, 1024]")
    # Files: magic, stream, footer, length, magic.
    closing = lambda footer: footer + struct.pack("<I", len(footer)) + b"ARROW1"
    footer_of = lambda blocks: (lambda flat: flat.finish(flat.table({
        0: ("h", 4), 1: ("ref", flat.table({1: ("ref", flat.vector([int_field(flat)], refs=True))})),
        3: ("ref", flat.vector([struct.pack("<qiiq", offset, 0, 0, 0) for offset in blocks]))})))(Flat())
    start = b"ARROW1\0\0"
    one = batch()
    case("magic-alone.arrow", start, "a file cut off")
    case("no-footer.arrow", start + good, "a file cut off")
    case("footer-beyond.arrow", start + struct.pack("<I", 2**31) + b"ARROW1", "a footer of 2147483648 bytes")
    case("footer-without-schema.arrow", start + closing((lambda flat: flat.finish(flat.table({})))(Flat())), "a footer without schema")
    case("block-beyond.arrow", start + one + closing(footer_of([10**6])), "block 0 begins at 1000000")
    case("block-repeated.arrow", start + one + closing(footer_of([8, 8])), "block 1 begins at 8")
    case("block-no-batch.arrow", start + good + closing(footer_of([8])), "block 0 is no record batch")
    case("block-in-footer.arrow", start + closing(footer_of([8])), "byte ")


shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
make_npy()
make_safetensors()
make_onnx()
make_arrow()
lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in cases)
(out / "tricky.json").write_text(f"[\n{lines}\n]\n")
print(f"{len(cases)} files")
