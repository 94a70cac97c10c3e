use route_runtime::cached;

#[cached]
struct Cats;

#[cached(revalidate = 5)]
mod cats {}

fn main() {
    let _ = Cats;
}
