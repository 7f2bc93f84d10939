"""Reading captures, the real ones and broken ones."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from ticklane.messages import InvalidOption
from ticklane.simulation import (
    CapturedAnswer,
    CapturedFrame,
    capture_answers,
    capture_connections,
    capture_exchange,
    capture_subscriptions,
    read_capture,
)
from ticklane.simulation.capture import frames_to_replay
from ticklane.simulation.upbit_venue import UpbitForm

HEAD = "wss://api.upbit.com/websocket/v1 <-> 1618678261.5\n"


@pytest.fixture
def upbit(captures: Path) -> Path:
    return captures / "upbit-2021-04-17.ws.txt"


@pytest.fixture
def binance(captures: Path) -> Path:
    return captures / "binance-2021-10-12.ws.txt"


def written(folder: Path, content: str) -> Path:
    path = folder / "capture.txt"
    path.write_text(content)
    return path


def test_the_upbit_capture_holds_145_books_among_304_trades(upbit: Path) -> None:
    types = Counter(msgspec.json.decode(frame.payload)["ty"] for frame in read_capture(upbit))

    assert types == {"orderbook": 145, "trade": 304}


def test_the_binance_capture_holds_177_diffs_and_84_best_prices(binance: Path) -> None:
    kinds: Counter[str] = Counter()
    for frame in read_capture(binance):
        kinds[msgspec.json.decode(frame.payload)["stream"].partition("@")[2]] += 1

    assert (kinds["depth@100ms"], kinds["bookTicker"]) == (177, 84)


def test_frames_of_upbit_are_bytes_and_those_of_binance_text(upbit: Path, binance: Path) -> None:
    types = [{type(frame.payload) for frame in read_capture(path)} for path in (upbit, binance)]

    assert types == [{bytes}, {str}]


def test_frames_carry_the_time_they_were_received(upbit: Path) -> None:
    assert next(read_capture(upbit)).at_unix_s == 1618678263.010785


def test_the_first_line_tells_the_exchange(upbit: Path, binance: Path) -> None:
    assert capture_exchange(upbit) == ("upbit", "wss://api.upbit.com/websocket/v1")
    assert capture_exchange(binance)[0] == "binance"
    assert capture_exchange(binance)[1].startswith("wss://stream.binance.com:9443/stream?streams=")


def test_the_upbit_capture_tells_what_was_subscribed_to(upbit: Path) -> None:
    subscriptions = capture_subscriptions(upbit)

    assert len(subscriptions) == 10
    assert ("KRW-LAMB", UpbitForm("SIMPLE")) in subscriptions


def test_the_binance_capture_tells_what_was_subscribed_to(binance: Path) -> None:
    symbols = [symbol for symbol, _ in capture_subscriptions(binance)]

    assert symbols == 2 * ["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"]


def test_lines_of_the_connection_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "\n1.5: b'a'\n" + HEAD + "2.5: text\n\n")

    assert list(read_capture(path)) == [CapturedFrame(1.5, b"a"), CapturedFrame(2.5, "text")]


@pytest.mark.parametrize(
    "cut", ["1", "2.5", "2.5: b'ab", '2.5: {"stream":"a', "2.5: ", "2.5: b", "wss://api.up"]
)
def test_a_last_line_that_was_cut_off_is_skipped(tmp_path: Path, cut: str) -> None:
    path = written(tmp_path, HEAD + "1.5: b'a'\n" + cut)

    assert list(read_capture(path)) == [CapturedFrame(1.5, b"a")]


@pytest.mark.parametrize(("last", "payload"), [("b'ab'", b"ab"), ("[1]", "[1]")])
def test_a_whole_last_line_needs_no_line_end(tmp_path: Path, last: str, payload: object) -> None:
    path = written(tmp_path, HEAD + "1.5: " + last)

    assert [frame.payload for frame in read_capture(path)] == [payload]


@pytest.mark.parametrize(
    "line", ["nonsense", "x: b'a'", "1.5", "nan: b'a'", "1.5: b'a", "1: b''+1"]
)
def test_a_malformed_line_is_an_error_that_names_file_and_line(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, HEAD + line + "\n2.5: b'a'\n")

    with pytest.raises(InvalidOption, match=r"capture\.txt, line 2, must be"):
        list(read_capture(path))


def test_bytes_that_are_no_text_are_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "capture.txt"
    path.write_bytes(HEAD.encode() + b"1.5: \xff\n")

    with pytest.raises(InvalidOption, match="line 2"):
        list(read_capture(path))


@pytest.mark.parametrize("content", ["", "1.5: b'a'\n"])
def test_a_capture_without_an_address_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidOption, match=r"line 1, must be the address"):
        capture_exchange(written(tmp_path, content))


def test_a_capture_of_an_unknown_exchange_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"line 1, must be an address of .*upbit"):
        capture_exchange(written(tmp_path, "wss://stream.example.com/ws <-> 1.5\n"))


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="No such file"):
        capture_exchange(tmp_path / "none.txt")


URL = "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000"


def test_answers_come_with_the_frame_that_their_connection_read_before(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEAD
        + f"{URL} -> 1.0 a 1: {{}}\n1.1 a 2: b'one'\n1.2 b 3: two\n"
        + f"{URL} -> 1.3 b 4: b'\\xff'\n{URL} -> 1.3 a 4: [1]\n",
    )

    assert list(capture_answers(path)) == [
        CapturedAnswer(URL, b"{}", None),
        CapturedAnswer(URL, b"\xff", b"two"),
        CapturedAnswer(URL, b"[1]", b"one"),
    ]
    assert [each.body for each in capture_answers(path, "a")] == [b"{}", b"[1]"]
    assert [each.payload for each in read_capture(path)] == [b"one", "two"]


@pytest.mark.parametrize("end", range(1, len(f"{URL} -> 1.6 a 16: ") + 9))
def test_an_answer_that_was_cut_off_is_skipped(tmp_path: Path, end: int) -> None:
    last = f'{URL} -> 1.6 a 16: {{"bids":1}}'[:end]
    path = written(tmp_path, HEAD + f"{URL} -> 1.5 a 15: {{}}\n" + last)

    assert [each.body for each in capture_answers(path)] == [b"{}"]
    assert list(read_capture(path)) == []


def test_an_answer_of_another_form_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="line 2"):
        list(capture_answers(written(tmp_path, HEAD + f"{URL} -> soon: {{}}\n")))


RECORDED = """\
wss://stream.bybit.com/v5/public/linear <-> 1.0 bybit-linear 10:\x20
wss://stream.bybit.com/v5/public/linear <- 1.0 bybit-linear 11: {"op":"subscribe","args":["orderbook.50.BTCUSDT"]}
ws://127.0.0.1:1/websocket/v1 <-> 1.1 upbit#2 12:\x20
ws://127.0.0.1:1/websocket/v1 <- 1.1 upbit#2 13: [{"ticket":"t"},{"type":"orderbook","codes":["KRW-BTC"]}]
1.2 upbit#2 14: b'a'
1.3 bybit-linear 15: {}
ws://127.0.0.1:1/websocket/v1 >-< 1.4 upbit#2 16: closed by us
"""  # noqa: E501 - a line is a frame


def test_a_recording_of_several_connections_is_read_together_or_one_by_one(tmp_path: Path) -> None:
    path = written(tmp_path, RECORDED)
    frames = [
        CapturedFrame(1.2, b"a", "upbit#2", 14),
        CapturedFrame(1.3, "{}", "bybit-linear", 15),
    ]

    assert list(read_capture(path)) == frames
    assert list(read_capture(path, "upbit#2")) == frames[:1]


def test_a_recording_of_several_exchanges_is_replayed_one_exchange_at_a_time(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, f"{RECORDED}1.5 bybit-linear#2 17: []\n")
    name, frames = frames_to_replay(path)

    assert (name, [each.payload for each in frames]) == ("bybit-linear", ["{}", "[]"])
    assert [each.payload for each in frames_to_replay(path, "upbit#2")[1]] == [b"a"]
    assert [each.payload for each in frames_to_replay(path, "bybit-linear")[1]] == ["{}"]


def test_a_connection_that_was_not_recorded_is_an_error_that_names_those_that_were(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidOption) as caught:
        frames_to_replay(written(tmp_path, RECORDED), "upbit")

    assert str(caught.value) == "connection must be one of 'bybit-linear', 'upbit#2', not 'upbit'"


def test_a_recordings_connections_are_known_by_their_names(tmp_path: Path) -> None:
    path = written(tmp_path, RECORDED)

    assert capture_connections(path) == ("bybit-linear", "upbit#2")
    assert capture_exchange(path, "bybit-linear")[0] == "bybit-linear"
    assert capture_exchange(path, "upbit#2") == ("upbit", "ws://127.0.0.1:1/websocket/v1")


def test_each_connection_of_a_recording_has_its_own_subscription(tmp_path: Path) -> None:
    path = written(tmp_path, RECORDED)
    symbols = [
        [symbol for symbol, _ in capture_subscriptions(path, name)]
        for name in capture_connections(path)
    ]

    assert symbols == [["BTCUSDT"], ["KRW-BTC"]]


def test_a_capture_of_one_connection_does_not_name_it(upbit: Path) -> None:
    assert capture_connections(upbit) == ("",)
