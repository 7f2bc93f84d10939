from ticklane.compat import SymbolQueue


def test_a_queue_asks_for_its_depth_every_time() -> None:
    depths = iter([3, 0, 1, 0])
    queue = SymbolQueue(lambda: next(depths))

    assert (queue.qsize(), queue.qsize()) == (3, 0)
    assert (queue.empty(), queue.empty()) == (False, True)
