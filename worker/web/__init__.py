"""What a worker shows over HTTP: probes for the platform, metrics for Prometheus, a page for a person."""
