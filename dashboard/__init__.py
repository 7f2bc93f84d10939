"""What is watched from outside: metrics for Prometheus, and what Grafana and it make of them."""

from .collector import MarketCollector
from .families import Family, Labels, render
from .serving import MetricsServer, metrics_app, serve_metrics

__all__ = [
    "Family",
    "Labels",
    "MarketCollector",
    "MetricsServer",
    "metrics_app",
    "render",
    "serve_metrics",
]
