//! Moving labels apart, so that none covers another.

/// Moves wanted positions apart until neighbours are `gap` apart, within `low..=high`, as little as
/// possible.
///
/// Labels that touch form a block that moves as one: the block's place is the mean of what its
/// members want (pool adjacent violators).
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let last = (high - gap * wanted.len().saturating_sub(1) as f64).max(low);
    // With w_k − k·gap as the wanted values the labels need only be in order: isotonic regression.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (rank, index) in order.iter().enumerate() {
        blocks.push((wanted[*index] - gap * rank as f64, 1));
        while let [.., (before, many), (after, more)] = blocks[..] {
            if before <= after {
                break;
            }
            let total = many + more;
            let mean = (before * many as f64 + after * more as f64) / total as f64;
            blocks.truncate(blocks.len() - 2);
            blocks.push((mean, total));
        }
    }
    let mut placed = vec![0.0; wanted.len()];
    let offsets =
        blocks.iter().flat_map(|(place, many)| std::iter::repeat_n(place.clamp(low, last), *many));
    for (rank, (index, offset)) in order.iter().zip(offsets).enumerate() {
        placed[*index] = offset + gap * rank as f64;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_with_room_stay_where_they_are() {
        assert_eq!(spread(&[10.0, 50.0, 90.0], 16.0, 0.0, 100.0), [10.0, 50.0, 90.0]);
    }

    #[test]
    fn touching_labels_part_evenly() {
        assert_eq!(spread(&[50.0, 50.0], 16.0, 0.0, 100.0), [42.0, 58.0]);
        assert_eq!(spread(&[98.0, 99.0], 16.0, 0.0, 100.0), [84.0, 100.0]);
    }

    proptest! {
        #[test]
        fn labels_never_overlap(wanted in prop::collection::vec(-50.0..350.0f64, 0..12)) {
            let placed = spread(&wanted, 16.0, 0.0, 300.0);
            let mut sorted = placed.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 16.0 - 1e-9));
            prop_assert!(placed.iter().all(|place| (-1e-9..=300.0 + 1e-9).contains(place)));
        }
    }
}
