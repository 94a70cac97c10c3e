// Rendered at build time, and replayed for each request.
export const dynamic = 'force-static';
export const revalidate = false;

export function generateStaticParams() {
  return [{ id: '7' }];
}

export function GET() {
  return new Response('7'.repeat(1024), { headers: { 'content-type': 'application/json' } });
}
