use std::rc::Rc;

use route_runtime::cached;

struct Db;

#[cached(skip(db, pool))]
async fn cats(id: u64, db: Db, pool: Rc<u64>) -> u64 {
    let Db = db;
    id + *pool
}

fn main() {
    let _ = cats(1, Db, Rc::new(1));
}
