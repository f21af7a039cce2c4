"""The function is reached by gRPC through the real server, and its failures are told apart."""

import pytest
from crossplane.function.proto.v1 import run_function_pb2 as fnv1
from google.protobuf.json_format import MessageToDict

from groundplane.render import FunctionError, reconcile, serving
from rendering import Double, claim, composition


def test_a_real_server_is_called_and_gone_afterwards() -> None:
    double = Double()
    with serving(double) as call:
        outcome = reconcile(claim(), composition(), function=call)
    assert outcome.iterations == len(double.requests) == 1
    xr = MessageToDict(double.requests[0].observed.composite.resource)
    assert xr["metadata"]["labels"] == {"crossplane.io/composite": "orders"}
    with pytest.raises(ValueError, match="closed channel"):
        call(fnv1.RunFunctionRequest())


def test_a_function_that_breaks_is_said_to_be_broken_and_its_words_are_not_repeated(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_request: fnv1.RunFunctionRequest) -> fnv1.RunFunctionResponse:
        raise KeyError("open-sesame")

    with serving(Double(broken)) as call, pytest.raises(FunctionError) as caught:
        reconcile(claim(), composition(), function=call)
    assert "a bug of the function" in str(caught.value)
    assert "open-sesame" not in str(caught.value)
    assert "open-sesame" not in "".join([*capfd.readouterr(), caplog.text])
