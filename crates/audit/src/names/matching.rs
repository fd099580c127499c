//! Parameters laid along the tensors of a model, in order, by their shapes.

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    /// This candidate and no other.
    Only(usize),
    /// One of these.
    Among(Vec<usize>),
}

/// How many candidates are looked at to list what parameters may be; parameters beyond list their
/// first and last candidate alone. A model of 10⁴ tensors stays below it.
const MOST_LOOKS: usize = 1 << 24;

/// Lays parameters along candidates, in order: candidates may be left out, parameters not.
///
/// A parameter's shape is unknown where the optimizer keeps no state for it; it then fits every
/// candidate. The earliest and the latest way are found; where both agree there is no third one.
/// `most` bounds the candidates that are listed for one parameter.
pub(crate) fn in_order(
    parameters: &[Option<&[usize]>],
    candidates: &[&[usize]],
    most: usize,
) -> Option<Vec<Match>> {
    let fits = |parameter: usize, candidate: usize| match (
        parameters.get(parameter),
        candidates.get(candidate),
    ) {
        (Some(Some(shape)), Some(other)) => shape == other,
        (Some(None), Some(_)) => true,
        _ => false,
    };
    let mut earliest = Vec::with_capacity(parameters.len());
    let mut next = 0;
    for parameter in 0..parameters.len() {
        let found = (next..candidates.len()).find(|&candidate| fits(parameter, candidate))?;
        earliest.push(found);
        next = found + 1;
    }
    let mut latest = vec![0; parameters.len()];
    let mut end = candidates.len();
    for (parameter, place) in latest.iter_mut().enumerate().rev() {
        let found = (0..end).rev().find(|&candidate| fits(parameter, candidate))?;
        *place = found;
        end = found;
    }
    let mut looks_left = MOST_LOOKS;
    let mut matches = Vec::with_capacity(parameters.len());
    for (parameter, (first, last)) in earliest.into_iter().zip(latest).enumerate() {
        if first == last {
            matches.push(Match::Only(first));
            continue;
        }
        let between = last.saturating_sub(first);
        let among = match looks_left.checked_sub(between) {
            Some(left) => {
                looks_left = left;
                let fitting = (first..=last).filter(|&candidate| fits(parameter, candidate));
                fitting.take(most.max(2)).collect()
            }
            None => vec![first, last],
        };
        matches.push(Match::Among(among));
    }
    Some(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_between_are_left_out_and_equal_neighbours_stay_open() {
        let candidates: [&[usize]; 5] = [&[4, 2], &[7], &[4], &[4], &[3, 3]];
        let parameters = [Some(&[4_usize, 2][..]), Some(&[4]), Some(&[3, 3])];
        let found = in_order(&parameters, &candidates, 10).unwrap();
        assert_eq!(found, [Match::Only(0), Match::Among(vec![2, 3]), Match::Only(4)]);
    }

    #[test]
    fn a_parameter_without_state_takes_its_place_by_count() {
        let candidates: [&[usize]; 3] = [&[4, 2], &[4], &[3, 3]];
        let parameters = [Some(&[4_usize, 2][..]), None, Some(&[3, 3])];
        let found = in_order(&parameters, &candidates, 10).unwrap();
        assert_eq!(found, [Match::Only(0), Match::Only(1), Match::Only(2)]);
        assert_eq!(in_order(&[Some(&[3, 3]), Some(&[4])], &candidates, 10), None);
        assert_eq!(in_order(&[None; 4], &candidates, 10), None);
    }
}
