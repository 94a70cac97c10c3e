pub async fn GET() -> String {
    todo!()
}
