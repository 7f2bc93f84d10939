"""Many connections to one exchange, which counts attempts by our address."""

from ticklane import Feed, MarketData
from ticklane.simulation import World, WorldTransport, demo_symbols


def test_all_connections_to_an_exchange_share_its_budget() -> None:
    world = World(seed=1)
    feeds = [Feed("upbit", [symbol]) for symbol in demo_symbols("upbit", 20)]
    exchanges = WorldTransport.serving(world, feeds, depth=1)
    market = MarketData(feeds, dispatcher=world, transport=exchanges, rest=exchanges)
    with market:
        world.run_for(30.0)
        told = [(feed.state, feed.reconnects) for feed in market.metrics().feeds]

    # It takes 5 in a second, and refuses more with 429, which counts as a reconnect.
    assert told == [("streaming", 0)] * 20
