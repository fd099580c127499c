//! Data sets as they lie on disks.

use wd_data::images::{ImageSet, Part};

use super::support::{cifar, folder, golden_folder, gzip, idx, labels, png};

#[test]
fn idx_plain_and_compressed_in_any_mixture() {
    let (images, label_file) = idx(&[1, 0, 2, 1], 3, 5);
    let (test_images, test_labels) = idx(&[1, 1], 3, 5);
    let root = folder(&[
        ("MNIST/raw/train-images-idx3-ubyte", &images),
        // As torchvision leaves them: both there.
        ("MNIST/raw/train-images-idx3-ubyte.gz", &gzip(&images)),
        ("MNIST/raw/train-labels-idx1-ubyte.gz", &gzip(&label_file)),
        ("MNIST/raw/t10k-images.idx3-ubyte.gz", &gzip(&test_images)),
        ("MNIST/raw/t10k-labels.idx1-ubyte", &test_labels),
    ]);
    let set = ImageSet::open(root.path()).unwrap();
    assert_eq!((set.len(), set.shape(), set.classes()), (4, (3, 5, 1), 3));
    assert_eq!(labels(&set), [1, 0, 2, 1]);
    assert_eq!(set.pixels(1), (15..30).collect::<Vec<u8>>());
    let test = ImageSet::open_part(root.path(), Part::Test).unwrap();
    // A test part may lack classes.
    assert_eq!(labels(&test.aligned_to(&set).unwrap()), [1, 1]);
    let file = root.path().join("MNIST/raw/t10k-images.idx3-ubyte.gz");
    assert_eq!(ImageSet::open_part(&file, Part::Test).unwrap().len(), 2);
}

#[test]
fn cifar_folders() {
    let all: Vec<[u8; 1]> = (0..10).map(|label| [label]).collect();
    let all: Vec<&[u8]> = all.iter().map(|label| &label[..]).collect();
    let batch = cifar(&all);
    let mut files: Vec<(String, &[u8])> =
        (1..=5).map(|i| (format!("cifar-10-batches-bin/data_batch_{i}.bin"), &batch[..])).collect();
    let one = cifar(&[&[4]]);
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    files.push(("cifar-10-batches-bin/test_batch.bin".to_owned(), &one));
    files.push(("cifar-10-batches-bin/batches.meta.txt".to_owned(), names.as_bytes()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, file)| (&name[..], *file)).collect();
    let root = folder(&files);
    let set = ImageSet::open(root.path()).unwrap();
    assert_eq!((set.len(), set.classes()), (50, 10));
    assert_eq!(set.class_names()[3], "cat");
    assert_eq!(set.pixels(12), [2; 3072]);
    let test = ImageSet::open_part(root.path(), Part::Test).unwrap();
    assert_eq!(labels(&test), [4]);

    // The fine label is the second byte. All hundred, so that no class is empty.
    let hundred: Vec<[u8; 2]> = (0..100).map(|label| [label / 5, label]).collect();
    let hundred: Vec<&[u8]> = hundred.iter().map(|labels| &labels[..]).collect();
    let root = folder(&[("train.bin", &cifar(&hundred)), ("test.bin", &cifar(&[&[0, 77]]))]);
    let set = ImageSet::open(root.path()).unwrap();
    assert_eq!((set.classes(), set.label(99)), (100, 99));
    let test = ImageSet::open_part(root.path(), Part::Test).unwrap();
    assert_eq!(labels(&test), [77]);
}

#[test]
fn class_folders_with_and_without_parts() {
    let root = folder(&[
        ("train/cat/images/b.png", &png(4, 3, 1, 1)),
        ("train/cat/a.PNG", &png(4, 3, 1, 2)),
        ("train/dog/x.png", &png(4, 3, 1, 3)),
        ("train/dog/.hidden.png", b"nothing"),
        ("train/dog/notes.txt", b"not an image"),
        ("train/emu/e.png", &png(4, 3, 1, 9)),
        // `val` is the test part; it has no cat, and a dog is still a dog.
        ("val/dog/y.png", &png(4, 3, 1, 4)),
        ("annotations/list.txt", b"1 2 3"),
    ]);
    let set = ImageSet::open(root.path()).unwrap();
    assert_eq!(set.class_names(), ["cat", "dog", "emu"]);
    assert_eq!((labels(&set), set.shape()), (vec![0, 0, 1, 2], (3, 4, 1)));
    assert_eq!((set.pixels(0)[0], set.pixels(1)[0]), (2, 1));
    let test = ImageSet::open_part(root.path(), Part::Test).unwrap();
    assert_eq!(labels(&test.aligned_to(&set).unwrap()), [1]);

    // A class may be called `train`; colour anywhere makes colour of all.
    let root = folder(&[
        ("bus/0.png", &png(4, 3, 1, 7)),
        ("train/0.png", &png(4, 3, 3, 8)),
        ("tram/0.png", &png(4, 3, 1, 9)),
    ]);
    let set = ImageSet::open(root.path()).unwrap();
    assert_eq!(set.class_names(), ["bus", "train", "tram"]);
    assert_eq!(set.shape(), (3, 4, 3));
    for (index, value) in [(0, 7), (1, 8), (2, 9)] {
        assert_eq!(set.pixels(index), [value; 36]);
    }
}

#[test]
fn parquet_folders() {
    let file = |name| std::fs::read(golden_folder().join(name)).unwrap();
    let (named, plain) = (file("train-00000-of-00001.parquet"), file("plain.parquet"));
    // As a clone of a data set of Hugging Face, and as its converted branch.
    let clone = folder(&[
        ("README.md", b"# A data set"),
        ("data/train-00000-of-00001-0123abc.parquet", &named),
        ("data/validation-00000-of-00001-4567def.parquet", &plain),
    ]);
    let branch = folder(&[
        ("default/train/0000.parquet", &named),
        ("default/train/0001.parquet", &named),
        ("default/test/0000.parquet", &plain),
    ]);
    for (root, count) in [(clone, 7), (branch, 14)] {
        let set = ImageSet::open(root.path()).unwrap();
        assert_eq!((set.len(), set.class_names()[2].as_str()), (count, "dog"));
        assert_eq!(set.pixels(count - 7), set.pixels(0));
        let test = ImageSet::open_part(root.path(), Part::Test).unwrap();
        assert_eq!((test.len(), test.class_names()[2].as_str()), (7, "2"));
    }
}

#[test]
fn many_images_keep_their_order() {
    let files: Vec<(String, Vec<u8>)> = (0..600u32)
        .map(|i| (format!("{}/{i:03}.png", i / 300), png(2, 2, 1, (i % 251) as u8)))
        .collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, file)| (&n[..], &file[..])).collect();
    let root = folder(&files);
    let set = ImageSet::open(root.path()).unwrap();
    for index in 0..600 {
        assert_eq!(set.label(index), (index / 300) as u32);
        assert_eq!(set.pixels(index), [(index % 251) as u8; 4]);
    }
}

#[test]
fn another_set_gets_the_classes_of_the_first_by_name() {
    let first = folder(&[
        ("cat/0.png", &png(4, 4, 3, 1)),
        ("dog/0.png", &png(4, 4, 3, 2)),
        ("emu/0.png", &png(4, 4, 3, 3)),
    ]);
    let second = folder(&[("dog/0.png", &png(4, 4, 1, 4)), ("emu/0.png", &png(4, 4, 1, 5))]);
    let first = ImageSet::open(first.path()).unwrap();
    let second = ImageSet::open(second.path()).unwrap();
    let aligned = second.clone().aligned_to(&first).unwrap();
    assert_eq!(labels(&aligned), [1, 2]);
    assert_eq!(aligned.class_names(), first.class_names());
    // And its channels.
    assert_eq!(aligned.pixels(0), [4; 48]);
    // Of numbered folders `10` comes before `2`; the labels of IDX are still the numbers.
    let files: Vec<String> = (0..12).map(|class| format!("{class}/0.png")).collect();
    let image = png(4, 4, 1, 9);
    let files: Vec<(&str, &[u8])> = files.iter().map(|name| (&name[..], &image[..])).collect();
    let numbered = ImageSet::open(folder(&files).path()).unwrap();
    let (images, label_file) = idx(&[2, 10, 1], 4, 4);
    let files = [("t10k-images-idx3-ubyte", &images[..]), ("t10k-labels-idx1-ubyte", &label_file)];
    let test = ImageSet::open_part(folder(&files).path(), Part::Test).unwrap();
    let named = test.clone().aligned_to(&numbered).unwrap();
    assert_eq!(labels(&named), [4, 2, 1]);
    // Where one has names and the other none in common with it, the numbers count.
    let few = test.clone().aligned_to(&first).unwrap_err().to_string();
    assert!(few.contains("image 1: its class is 10"), "{few}");

    let (images, label_file) = idx(&[2, 0], 4, 4);
    let files = [("t10k-images-idx3-ubyte", &images[..]), ("t10k-labels-idx1-ubyte", &label_file)];
    let numbers = ImageSet::open_part(folder(&files).path(), Part::Test).unwrap();
    let by_number = numbers.aligned_to(&first).unwrap();
    assert_eq!(labels(&by_number), [2, 0]);
    assert_eq!(by_number.paired(), Some("classes paired by number, 0 is cat, 1 is dog, 2 is emu"));
    assert_eq!(named.paired(), None);

    let error = first.clone().aligned_to(&second).unwrap_err().to_string();
    assert!(error.contains("4 × 4 × 3") && error.contains("4 × 4 × 1"), "{error}");
    let same = first.clone().aligned_to(&first).unwrap_err().to_string();
    assert!(same.contains("the very images that are trained on"), "{same}");
}
