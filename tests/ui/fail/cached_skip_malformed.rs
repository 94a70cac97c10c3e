use route_runtime::cached;

#[cached(skip = [id, name])]
async fn assigned(id: u64, name: String) -> String {
    name + &id.to_string()
}

#[cached(skip)]
async fn bare(id: u64) -> u64 {
    id
}

#[cached(skip())]
async fn empty(id: u64) -> u64 {
    id
}

#[cached(skip("id", id.0))]
async fn quoted(id: u64) -> u64 {
    id
}

fn main() {
    let _ = (assigned(1, String::new()), bare(1), empty(1), quoted(1));
}
