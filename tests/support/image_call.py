"""A call of the function that an image serves."""

import grpc
from crossplane.function.proto.v1 import run_function_pb2_grpc as grpcv1

from bareplane.waiting import PATIENCE_SECONDS
from outcomes import read
from worlds import ready


async def is_answered(address: str) -> bool:
    world = ready(parameters={"work_mem": "8MB"})  # so that it reads the data that lie beside its modules
    async with grpc.aio.insecure_channel(address) as channel:
        stub = grpcv1.FunctionRunnerServiceStub(channel)
        return read(await stub.RunFunction(world.request(world.ask().asked), timeout=PATIENCE_SECONDS)).ready
