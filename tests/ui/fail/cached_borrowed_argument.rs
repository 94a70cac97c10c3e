#![allow(unused_variables)]

use std::borrow::Cow;

use actix_web::web::Data;
use route_runtime::cached;

struct Db;

#[cached]
async fn cats(name: &str, ids: &[u64], more: Option<&Vec<u8>>, cow: Cow<'_, str>) -> String {
    todo!()
}

#[cached]
async fn birds(name: &'static str) -> String {
    todo!()
}

#[cached(skip(db, data))]
async fn dogs(db: &Db, data: &Data<Db>) -> String {
    todo!()
}

fn main() {
    let _ = cats("", &[], None, "".into());
    let _ = birds("");
    let _ = dogs(&Db, &Data::new(Db));
}
