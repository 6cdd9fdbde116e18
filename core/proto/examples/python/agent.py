"""An agent in Python, with nothing but grpcio, protobuf and the compiled .proto files.

    buf build core/proto -o sira.binpb          (or protoc --include_imports --descriptor_set_out=sira.binpb …)
    python3 agent.py sira.binpb 127.0.0.1:7420 my-agent

It keeps what the protocol asks of an agent (core/proto/README.md): it says hello until it is answered, beats, begins each
attempt once, repeats results until they are recorded, ends all work when its lease has run out, and comes back after every
loss of the connection.
"""

import queue
import struct
import sys
import threading
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def load_messages(path):
    """The message classes of a compiled set of .proto files, by full name."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


FLOAT64 = 15


def read_floats(tensor):
    """Shape and elements of a tensor of float64."""
    plain = tensor.plain
    if tensor.WhichOneof("form") != "plain" or plain.data_type != FLOAT64:
        raise ValueError(f'the tensor "{tensor.name}" is not a plain one of float64')
    return list(plain.shape), struct.unpack(f"<{len(plain.data) // 8}d", plain.data)


def matrix_multiply(work, outputs):
    """`left` [rows, inner] times `right` [inner, columns]."""
    inputs = {tensor.name: read_floats(tensor) for tensor in work.inputs}
    (rows, inner), left = inputs["left"]
    (height, columns), right = inputs["right"]
    if inner != height:
        raise ValueError("the matrices do not fit")
    product = [
        sum(left[row * inner + step] * right[step * columns + column] for step in range(inner))
        for row in range(rows)
        for column in range(columns)
    ]
    output = outputs.add(name="product")
    output.plain.data_type = FLOAT64
    output.plain.shape.extend([rows, columns])
    output.plain.data = struct.pack(f"<{len(product)}d", *product)


FUNCTIONS = {"matrix-multiply": matrix_multiply}


def now_micros():
    return time.monotonic_ns() // 1000


class Agent:
    def __init__(self, message, name):
        self.message = message
        self.name = name
        self.lock = threading.RLock()
        self.incarnation = int(time.time()) - 1_600_000_000
        self.connection = 0
        self.number = None
        self.lease_micros = 0
        self.lease_end = None
        self.beat_seconds = 0.5
        self.batch = 0
        self.sent_batches = {}
        self.running = {}  # attempt → its reference
        self.results = {}  # attempt → a result that is not recorded yet
        self.orders = set()  # dispatches begun or void in this incarnation
        self.outgoing = None

    # What goes out. Without a connection it is lost: everything that matters is repeated.

    def send(self, **part):
        if self.outgoing is not None:
            self.outgoing.put(self.message("sira.v1.ConnectRequest")(**part))

    def say_hello(self):
        hello = self.message("sira.v1.AgentHello")(
            name=self.name, incarnation=self.incarnation, connection=self.connection, sent_micros=now_micros()
        )
        hello.resources.cpu_milli = 1000
        hello.resources.memory_mib = 512
        for function in FUNCTIONS:
            hello.capabilities[function] = 1
        hello.labels["language"].text = "python"
        hello.running.extend(self.running.values())
        self.send(hello=hello)

    def tick(self):
        """Once a heartbeat interval."""
        with self.lock:
            now = now_micros()
            if self.lease_end is not None and now + self.beat_seconds * 1e6 >= self.lease_end:
                # Whatever runs is no longer ours: another agent may be given it.
                self.begin_anew()
            if self.lease_end is None:
                self.say_hello()
                return
            self.batch += 1
            self.sent_batches[self.batch] = now
            beats = self.message("sira.v1.Heartbeats")(batch=self.batch)
            beats.beats.add(agent=self.number, incarnation=self.incarnation, running=len(self.running))
            self.send(heartbeats=beats)
            for result in self.results.values():
                self.send(finished=result)

    def begin_anew(self, known=0):
        self.incarnation = max(self.incarnation, known) + 1
        self.connection = 1
        self.lease_end = None
        self.running.clear()
        self.results.clear()
        self.orders.clear()
        self.sent_batches.clear()

    # What comes in.

    def receive(self, response):
        with self.lock:
            kind = response.WhichOneof("message")
            value = getattr(response, kind) if kind else None
            if kind == "registered" and value.incarnation == self.incarnation:
                self.number = value.agent
                self.lease_micros = value.lease_micros
                self.beat_seconds = value.heartbeat_interval_micros / 1e6
                self.lease_end = max(self.lease_end or 0, value.hello_sent_micros + value.lease_micros)
                for reference in value.stop:
                    self.stop(reference)
            elif kind == "refused" and value.incarnation == self.incarnation:
                self.begin_anew(value.incarnation_known)
            elif kind == "heartbeats_recorded":
                sent = self.sent_batches.pop(value.batch, None)
                if value.lease_micros > 0:
                    self.lease_micros = value.lease_micros
                    self.beat_seconds = value.heartbeat_interval_micros / 1e6
                if sent is not None and self.lease_end is not None:
                    self.lease_end = max(self.lease_end, sent + self.lease_micros)
            elif kind == "ping":
                self.send(echo={"id": value.id, "padding": value.padding})
            elif kind in ("dispatch", "stop", "recorded") and self.is_mine(value):
                getattr(self, f"on_{kind}")(value)

    def is_mine(self, value):
        return self.lease_end is not None and value.agent == self.number and value.incarnation == self.incarnation

    def on_dispatch(self, dispatch):
        attempt = dispatch.attempt.attempt
        if attempt in self.results:
            self.send(finished=self.results[attempt])
            return
        if attempt not in self.running:
            if dispatch.order in self.orders:
                return
            self.orders.add(dispatch.order)
            self.running[attempt] = dispatch.attempt
            threading.Thread(target=self.run, args=(dispatch,), daemon=True).start()
        accepted = self.message("sira.v1.DispatchAccepted")(agent=self.number, incarnation=self.incarnation)
        accepted.attempt.CopyFrom(dispatch.attempt)
        self.send(accepted=accepted)

    def on_stop(self, stop):
        self.orders.add(stop.order)
        if stop.attempt.attempt in self.running or stop.attempt.attempt in self.results:
            self.stop(stop.attempt)
        else:
            self.send(finished=self.result(stop.attempt, outcome=3))

    def on_recorded(self, recorded):
        self.results.pop(recorded.attempt.attempt, None)

    def stop(self, reference):
        if self.running.pop(reference.attempt, None) is not None:
            self.report(self.result(reference, outcome=3))

    # Work.

    def run(self, dispatch):
        incarnation = dispatch.incarnation
        result = self.result(dispatch.attempt, outcome=1)
        began = now_micros()
        try:
            FUNCTIONS[dispatch.work.function](dispatch.work, result.outputs)
        except Exception as error:  # what a function throws is the reason of the failure
            result.outcome = 2
            result.failure = f"{type(error).__name__}: {error}"
        result.cost.service_micros = now_micros() - began
        with self.lock:
            # Stopped meanwhile, or the lease ran out: nobody waits for it.
            if self.incarnation == incarnation and self.running.pop(dispatch.attempt.attempt, None) is not None:
                self.report(result)

    def result(self, reference, outcome):
        result = self.message("sira.v1.TaskFinished")(agent=self.number, incarnation=self.incarnation, outcome=outcome)
        result.attempt.CopyFrom(reference)
        return result

    def report(self, result):
        self.results[result.attempt.attempt] = result
        self.send(finished=result)

    # The connection.

    def serve(self, address):
        threading.Thread(target=self.beat, daemon=True).start()
        wait = 0.05
        while True:
            with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 20 << 20)]) as channel:
                connect = channel.stream_stream(
                    "/sira.v1.AgentService/Connect",
                    request_serializer=lambda request: request.SerializeToString(),
                    response_deserializer=self.message("sira.v1.ConnectResponse").FromString,
                )
                with self.lock:
                    outgoing = self.outgoing = queue.Queue(maxsize=10_000)
                    self.connection += 1
                    self.say_hello()
                try:
                    for response in connect(iter(outgoing.get, None)):
                        wait = 0.05
                        self.receive(response)
                except grpc.RpcError as error:
                    print(f"{self.name}: {error.code().name}", file=sys.stderr, flush=True)
                with self.lock:
                    self.outgoing = None
                outgoing.put(None)
            time.sleep(wait)
            wait = min(2 * wait, 1.0)

    def beat(self):
        while True:
            time.sleep(self.beat_seconds)
            self.tick()


if __name__ == "__main__":
    descriptors, address, name = sys.argv[1:4]
    Agent(load_messages(descriptors), name).serve(address)
