//! The cost of finding a route, by the number of routes there are.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use route_runtime::__private::Segment;
use route_runtime::{RouteDescriptor, Routes, route};

/// Every declaration's handler.
#[route("/")]
async fn answer() -> &'static str {
    "found"
}

/// `/api/v1/resource0/list` or `/api/v1/resource0/[id]`, and so on: all children of one node.
fn table(count: usize, last: Segment) -> Routes {
    let routes = (0..count).map(|index| {
        let name: &str = format!("resource{index}").leak();
        let (Segment::Literal(end) | Segment::Param(end)) = last else {
            unreachable!("no other kind is measured")
        };
        let segments = [
            Segment::Literal("api"),
            Segment::Literal("v1"),
            Segment::Literal(name),
            last,
        ];
        RouteDescriptor {
            pattern: format!("/api/v1/{name}/{end}").leak(),
            segments: Box::leak(Box::new(segments)),
            ..answer::ROUTE
        }
    });
    Routes::from_iter(routes).expect("the routes fit together")
}

fn matching(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matching");
    group.warm_up_time(Duration::from_secs(1));
    group.measurement_time(Duration::from_secs(2));
    for count in [1, 10, 100, 1_000, 10_000] {
        let of_literals = table(count, Segment::Literal("list"));
        let of_params = table(count, Segment::Param("id"));
        let middle = count / 2;
        for (name, routes, path, is_found) in [
            (
                "static",
                &of_literals,
                format!("/api/v1/resource{middle}/list"),
                true,
            ),
            (
                "dynamic",
                &of_params,
                format!("/api/v1/resource{middle}/42"),
                true,
            ),
            (
                "miss",
                &of_params,
                format!("/api/v1/resource{count}/42"),
                false,
            ),
        ] {
            assert_eq!(routes.pattern_of(&path).is_some(), is_found, "{path}");
            group.bench_with_input(BenchmarkId::new(name, count), &*path, |bench, path| {
                bench.iter(|| routes.pattern_of(black_box(path)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, matching);
criterion_main!(benches);
