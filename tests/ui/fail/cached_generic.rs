use route_runtime::cached;

#[cached]
async fn cats<T: ToString>(id: T) -> String {
    id.to_string()
}

#[cached]
async fn dogs(id: u64) -> String
where
    u64: ToString,
{
    id.to_string()
}

#[cached]
async fn birds(id: impl ToString) -> String {
    id.to_string()
}

#[cached]
async fn fishes(id: u64) -> impl ToString {
    id
}

fn main() {
    let _ = (cats(1), dogs(1), birds(1), fishes(1));
}
