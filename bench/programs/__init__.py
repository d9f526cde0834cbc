"""The programs that the benchmark has Pulumi run: each declares `BENCH_COUNT` resources with the same inputs."""
