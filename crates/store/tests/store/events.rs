//! events.jsonl: torn, damaged, appended to.

use std::fs;

use crate::fixture;
use proptest::prelude::*;
use wd_store::{Event, EventKind, EventLog};

fn three_events() -> Vec<Event> {
    vec![
        Event::now(EventKind::Started, 0, "2 lines\nin one message"),
        Event::now(EventKind::Note, 10, "").with("validation_loss", 0.1 + 0.2).with("tensor", "ü"),
        Event::now(EventKind::Finished, u64::MAX, "done"),
    ]
}

#[test]
fn events_read_back_equal_one_a_line() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    assert_eq!(run.events().unwrap(), EventLog::default());
    for event in three_events() {
        run.append_event(&event).unwrap();
    }
    let log = run.events().unwrap();
    assert_eq!(log.damaged_lines, Vec::<usize>::new());
    for (read, written) in log.events.iter().zip(&three_events()) {
        assert_eq!(
            (read.kind, read.step, &read.message, &read.fields),
            (written.kind, written.step, &written.message, &written.fields)
        );
        assert!(read.time_unix > 1.6e9);
    }
    assert_eq!(log.last(EventKind::Note), Some(&log.events[1]));
    assert_eq!(fs::read_to_string(run.events_path()).unwrap().lines().count(), 3);
}

#[test]
fn a_kind_or_field_of_a_later_version_is_no_damage() {
    let log =
        EventLog::parse(b"{\"time_unix\":1,\"kind\":\"teleported\",\"step\":3,\"to\":\"moon\"}\n");
    assert_eq!(log.events[0].kind, EventKind::Other);
    assert!(log.damaged_lines.is_empty());
}

/// Whatever part of the last line a kill left, the lines before it are read and the next event
/// stands alone.
#[test]
fn torn_at_every_length() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    for event in three_events() {
        run.append_event(&event).unwrap();
    }
    let whole = fs::read(run.events_path()).unwrap();
    let events = run.events().unwrap().events;
    let ends: Vec<usize> =
        (0..whole.len()).filter(|&at| whole[at] == b'\n').map(|at| at + 1).collect();
    let next = Event { time_unix: 0.5, ..Event::now(EventKind::Resumed, 7, "again") };
    for length in 0..=whole.len() {
        fs::write(run.events_path(), &whole[..length]).unwrap();
        let complete = ends.iter().filter(|&&end| end <= length).count();
        let log = run.events().unwrap();
        assert_eq!(log.events, events[..complete], "{length}");
        assert!(log.damaged_lines.is_empty(), "{length}");

        run.append_event(&next).unwrap();
        let log = run.events().unwrap();
        assert_eq!(log.events.last(), Some(&next), "{length}");
        assert_eq!(log.events[..complete], events[..complete], "{length}");
        // The torn line is now one damaged line in the middle, unless only its newline was missing.
        let at_an_end = length == 0 || ends.contains(&length);
        let only_newline_missing = ends.contains(&(length + 1));
        assert_eq!(
            log.damaged_lines.len(),
            usize::from(!at_an_end && !only_newline_missing),
            "{length}"
        );
        assert_eq!(log.events.len(), complete + 1 + usize::from(only_newline_missing), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn good_lines_survive_any_bytes_between_them(garbage in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 4)) {
        let mut bytes = Vec::new();
        let mut written = Vec::new();
        for (index, noise) in garbage.iter().enumerate() {
            let event = Event { time_unix: index as f64, ..Event::now(EventKind::Note, index as u64, "kept") };
            bytes.extend_from_slice(noise);
            bytes.push(b'\n');
            bytes.extend_from_slice(&serde_json::to_vec(&event).unwrap());
            bytes.push(b'\n');
            written.push(event);
        }
        // Random bytes are no event: at least `"step":` would have to be in them.
        prop_assert_eq!(EventLog::parse(&bytes).events, written);
    }

    #[test]
    fn a_nested_bomb_is_only_a_damaged_line(depth in 100_usize..20_000) {
        let bytes = ["{\"fields\":".repeat(depth).into_bytes(), b"\n".to_vec()].concat();
        prop_assert_eq!(EventLog::parse(&bytes).damaged_lines, [1]);
    }
}
