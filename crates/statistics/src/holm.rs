//! Holm's step-down correction: with several comparisons, the chance of even one false
//! "significant" stays at 5 %.

use crate::PairedDifference;

/// Holm-adjusted p-values, in the order given:
/// p̃_(i) = max_{j ≤ i} min(1, (m − j + 1) p_(j)) over the sorted p_(1) ≤ … ≤ p_(m).
///
/// Valid under any dependence of the tests. Equals `statsmodels` `multipletests(method="holm")` and
/// R `p.adjust`. Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand.
/// J. Statist. 6 (1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut floor = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        floor = floor.max((remaining * p_values[index]).min(1.0));
        adjusted[index] = floor;
    }
    adjusted
}

/// Fills `adjusted_p` of each difference of one family. Differences without a p (one seed) are not
/// counted.
pub fn adjust_family<'a>(family: impl IntoIterator<Item = &'a mut PairedDifference>) {
    let mut tested: Vec<&mut PairedDifference> =
        family.into_iter().filter(|d| d.p_value.is_some()).collect();
    let raw: Vec<f64> = tested.iter().filter_map(|d| d.p_value).collect();
    for (difference, adjusted) in tested.iter_mut().zip(holm(&raw)) {
        difference.adjusted_p = Some(adjusted);
    }
}
