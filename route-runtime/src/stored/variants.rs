//! The body of a response in other encodings: made when it is asked for, and kept within a budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use actix_web::http::header::{ContentEncoding, HeaderValue};
use actix_web::web::Bytes;
use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::encoding::compress;

/// The body in one encoding.
pub(super) struct Variant {
    pub(super) encoding: ContentEncoding,
    pub(super) body: Bytes,
    pub(super) etag: Option<HeaderValue>,
}

/// The body in each encoding that a request has asked for.
///
/// All variants together are no longer than the body, because that is what they are
/// [weighed](super::StoredResponse::weight) as before their length is known. If they do not all
/// fit, those that are asked for most are kept.
#[derive(Default)]
pub(super) struct Variants {
    brotli: VariantCell,
    zstd: VariantCell,
    gzip: VariantCell,
    /// Held while a variant is made. So each is made once, and the budget holds.
    making: Mutex<()>,
}

#[derive(Default)]
struct VariantCell {
    kept: ArcSwapOption<Variant>,
    /// The length of the variant, once it has been made. 0 before.
    length: AtomicUsize,
    /// The number of requests that have asked for it.
    asked: AtomicU64,
}

/// The answer to a request for a variant.
pub(super) enum FoundVariant {
    Kept(Arc<Variant>),
    /// The variant is not offered, because others are asked for more.
    Refused,
    /// The variant has to be made first.
    Unmade,
}

/// The weight of one variant in bytes, without its body.
const OVERHEAD: usize = size_of::<Variant>() + 2 * size_of::<usize>();

impl Variants {
    /// The weight of all variants in bytes, without their bodies.
    pub(super) const WEIGHT: usize = size_of::<Self>() + 3 * OVERHEAD;

    /// Looks a variant up, and counts the request if that is its answer. `budget` is the length of
    /// the body.
    pub(super) fn look_up(&self, encoding: ContentEncoding, budget: usize) -> FoundVariant {
        let cell = self.cell(encoding);
        if let Some(kept) = cell.kept.load_full() {
            cell.asked.fetch_add(1, Ordering::Relaxed);
            return FoundVariant::Kept(kept);
        }
        match cell.length.load(Ordering::Relaxed) {
            0 => FoundVariant::Unmade,
            length if self.victims(cell, length, budget).is_some() => FoundVariant::Unmade,
            _ => {
                cell.asked.fetch_add(1, Ordering::Relaxed);
                FoundVariant::Refused
            }
        }
    }

    /// Makes a variant of the body and counts the request. Returns `None` if the variant is not
    /// kept.
    pub(super) async fn make(
        &self,
        encoding: ContentEncoding,
        body: &Bytes,
        etag: impl FnOnce() -> Option<HeaderValue>,
    ) -> Option<Arc<Variant>> {
        let _making = self.making.lock().await;
        // Another request may have made it meanwhile.
        match self.look_up(encoding, body.len()) {
            FoundVariant::Kept(kept) => return Some(kept),
            FoundVariant::Refused => return None,
            FoundVariant::Unmade => {}
        }
        let cell = self.cell(encoding);
        cell.asked.fetch_add(1, Ordering::Relaxed);
        let made = compress(encoding, body.clone()).await;
        let length = made.as_ref().map_or(usize::MAX, |made| made.len().max(1));
        cell.length.store(length, Ordering::Relaxed);
        for victim in self.victims(cell, length, body.len())? {
            victim.kept.store(None);
        }
        let variant = Arc::new(Variant {
            encoding,
            body: made?,
            etag: etag(),
        });
        cell.kept.store(Some(Arc::clone(&variant)));
        Some(variant)
    }

    /// Returns the variants that have to go for one of this length to be kept. Returns `None` if it
    /// is not kept.
    ///
    /// A variant goes for one that is asked for more than twice as often. So two that are asked for
    /// about equally do not replace each other again and again.
    fn victims(
        &self,
        cell: &VariantCell,
        length: usize,
        budget: usize,
    ) -> Option<Vec<&VariantCell>> {
        let asked = cell.asked.load(Ordering::Relaxed);
        let mut others: Vec<_> = [&self.brotli, &self.zstd, &self.gzip]
            .into_iter()
            .filter(|other| !std::ptr::eq(*other, cell) && other.kept.load().is_some())
            .map(|other| (other.asked.load(Ordering::Relaxed), other))
            .collect();
        others.sort_by_key(|(asked, _)| *asked);
        let lengths = others
            .iter()
            .map(|(_, other)| other.length.load(Ordering::Relaxed));
        let mut free = budget.saturating_sub(lengths.sum());
        let mut victims = Vec::new();
        for (others_asked, other) in others {
            if free >= length || others_asked.saturating_mul(2) >= asked {
                break;
            }
            free += other.length.load(Ordering::Relaxed);
            victims.push(other);
        }
        (free >= length).then_some(victims)
    }

    /// Returns the cell of an encoding. [`super::preferred`] knows brotli, zstd and gzip.
    fn cell(&self, encoding: ContentEncoding) -> &VariantCell {
        match encoding {
            ContentEncoding::Brotli => &self.brotli,
            ContentEncoding::Zstd => &self.zstd,
            _ => &self.gzip,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENCODINGS: [ContentEncoding; 3] = [
        ContentEncoding::Brotli,
        ContentEncoding::Zstd,
        ContentEncoding::Gzip,
    ];

    /// Returns a body of which only one variant fits: the hexadecimal digits of a hash, of whose
    /// length compression can save no more than half.
    fn digits(length: usize) -> Bytes {
        let mut digits = vec![0; length / 2];
        blake3::Hasher::new().finalize_xof().fill(&mut digits);
        let digits = digits.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>().into()
    }

    async fn ask(variants: &Variants, encoding: ContentEncoding, body: &Bytes) -> bool {
        match variants.look_up(encoding, body.len()) {
            FoundVariant::Kept(_) => true,
            FoundVariant::Refused => false,
            FoundVariant::Unmade => variants.make(encoding, body, || None).await.is_some(),
        }
    }

    fn kept(variants: &Variants) -> Vec<(ContentEncoding, usize)> {
        let kept = ENCODINGS.map(|encoding| {
            let kept = variants.cell(encoding).kept.load_full()?;
            Some((encoding, kept.body.len()))
        });
        kept.into_iter().flatten().collect()
    }

    #[actix_web::test]
    async fn the_encoding_that_most_clients_ask_for_displaces_the_first() {
        let (variants, body) = (Variants::default(), digits(20_000));
        assert!(ask(&variants, ContentEncoding::Zstd, &body).await);
        for _ in 0..3 {
            assert!(!ask(&variants, ContentEncoding::Gzip, &body).await);
        }
        // Three are more than twice as many as one.
        assert!(ask(&variants, ContentEncoding::Gzip, &body).await);
        // The first does not come back before it is asked for more than twice as often.
        for _ in 0..5 {
            assert!(!ask(&variants, ContentEncoding::Zstd, &body).await);
            assert!(ask(&variants, ContentEncoding::Gzip, &body).await);
        }
        assert_eq!(kept(&variants).len(), 1);
    }

    #[actix_web::test]
    async fn every_encoding_is_kept_where_all_fit() {
        let (variants, body) = (Variants::default(), Bytes::from(vec![b'a'; 5000]));
        for encoding in ENCODINGS {
            assert!(ask(&variants, encoding, &body).await);
        }
        assert_eq!(kept(&variants).len(), 3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn the_variants_never_exceed_the_budget(
            asked in prop::collection::vec(prop::sample::select(ENCODINGS.to_vec()), 1..60),
            repeats in 0..6_usize,
        ) {
            let body = [digits(4000), Bytes::from(vec![b'a'; 500 * repeats])].concat().into();
            actix_web::rt::System::new().block_on(async {
                let variants = Variants::default();
                for encoding in asked {
                    ask(&variants, encoding, &body).await;
                    let sum: usize = kept(&variants).iter().map(|(_, length)| length).sum();
                    assert!(sum > 0 && sum <= body.len());
                }
            });
        }
    }
}
