//! A user's macro may declare cached functions, with names and values of its own.

use route_runtime::cached;

macro_rules! animal {
    ($name:ident($id:ident: $id_ty:ty) -> $output:ty, $seconds:expr, $tag:literal) => {
        #[cached(revalidate = $seconds, tags = [$tag], skip(client))]
        async fn $name($id: $id_ty, client: u8) -> $output {
            $id.to_string() + &client.to_string()
        }
    };
}

animal!(cats(id: u64) -> String, 10, "cat:{id}");
animal!(dogs(client_id: u64) -> String, 20, "dog:{client_id}");

#[actix_web::main]
async fn main() {
    assert_eq!(cats(1, 2).await, "12");
    assert_eq!(dogs(3, 4).await, "34");
    let _ = (cats::revalidate(1), dogs::revalidate(1));
}
