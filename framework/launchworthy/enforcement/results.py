"""How does what a body returned become an answer?

As the SDK would write it: text for the model, and data checked against the schema that was published. The
usual results (a model, a dataclass, plain values, lists and dictionaries of them) are written here, in a
third of the time; all others by the SDK. What is not of the declared type raises, and its text holds the
result, so it goes nowhere.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from mcp.server.mcpserver.prompts.base import Message, UserMessage, message_validator
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    PromptMessage,
    ReadResourceResult,
    TextResourceContents,
)
from pydantic import BaseModel
from pydantic_core import to_json

_PLAIN = (str, int, float, bool, type(None))
ToolResult = CallToolResult | dict[str, Any]


def tool_result(metadata: FuncMetadata, result: object) -> ToolResult:
    """Write a tool's result, as the SDK's `FuncMetadata.convert_result` does.

    Raises:
        Exception: it is not of the declared type, or asks for input.
    """
    model = metadata.output_model
    if not (isinstance(model, type) and issubclass(model, BaseModel) and _is_usual(result)):
        converted = metadata.convert_result(result)
        if not isinstance(converted, CallToolResult):
            raise TypeError("the result asks for input")
        return converted
    wrapped = {"result": result} if metadata.wrap_output else result
    data = model.model_validate(wrapped, by_alias=True, by_name=True).model_dump(mode="json", by_alias=True)
    return {"content": _texts(result), "structuredContent": data, "isError": False, "resultType": "complete"}


def failed_result(text: str) -> ToolResult:
    """The result of a tool that failed; the model reads the text."""
    return {"content": [{"type": "text", "text": text}], "isError": True, "resultType": "complete"}


def resource_result(uri: str, mime_type: str, result: object) -> ReadResourceResult:
    """Write a resource's content: text, bytes, or anything else as JSON.

    Raises:
        Exception: it cannot be written as JSON.
    """
    if isinstance(result, bytes):
        blob = b64encode(result).decode()
        return ReadResourceResult(contents=[BlobResourceContents(uri=uri, mime_type=mime_type, blob=blob)])
    text = result if isinstance(result, str) else to_json(result).decode()
    return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=mime_type, text=text)])


def prompt_messages(result: object) -> list[PromptMessage]:
    """Write a prompt: one text, one message, or several; text is the user's.

    Raises:
        Exception: it is none of these.
    """
    items: Sequence[object] = result if isinstance(result, list | tuple) else [result]
    return [_message(item) for item in items]


def _is_usual(result: object) -> bool:
    """Whether the SDK would write this as text and data; content blocks and results of its own are not."""
    if isinstance(result, list | tuple):
        return all(map(_is_usual, result))
    if isinstance(result, BaseModel):
        return not type(result).__module__.startswith("mcp")
    return type(result) in _PLAIN or isinstance(result, dict) or is_dataclass(result)


def _texts(result: object) -> list[Mapping[str, str]]:
    if result is None:
        return []
    if isinstance(result, list | tuple):
        return [text for item in result for text in _texts(item)]
    text = result if isinstance(result, str) else to_json(result, indent=2).decode()
    return [{"type": "text", "text": text}]


def _message(item: object) -> PromptMessage:
    if isinstance(item, PromptMessage):
        return item
    if isinstance(item, str):
        item = UserMessage(item)
    elif isinstance(item, dict):
        item = message_validator.validate_python(item)
    if not isinstance(item, Message):
        raise TypeError("a prompt returns text or messages")
    return PromptMessage(role=item.role, content=item.content)
