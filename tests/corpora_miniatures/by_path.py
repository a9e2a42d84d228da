"""Miniatures of corpora whose files lie by speaker: recordings and texts are paired by their paths.

Layouts and traps are those of the corpora; sentences, and speakers' details where they do not matter, are invented.
"""

from pathlib import Path

from tests.corpora_miniatures.clips import write_clip, write_text


def vctk(root: Path) -> Path:
    """Write VCTK 0.92: p280 has no second microphone, p315 no text, and a text of p225 no recording."""
    write_text(
        root / "speaker-info.txt",
        "ID  AGE  GENDER  ACCENTS  REGION COMMENTS \n"
        "p225  23  F    English    Southern  England\n"
        "p234  22  F    Scottish  West  Dumfries\n"
        "p280  25  F    Unknown  France  (mic2 files unavailable)\n"
        "p315  18  M    American  New  England  (Text unavailable)\n"
        "p329  23  F    American  \n"
        "s5  20  M    British  \n",
    )
    for name, words in {
        "p225_001": "The kettle is warm.",
        "p225_002": 'Nobody, he said, "was" late.',
        "p225_003": "This was never recorded.",
        "p234_001": "The kettle is warm.",
        "p280_001": "The kettle is warm.",
        "p329_001": "Null and None came to tea.",
        "s5_001": "The kettle is warm.",
    }.items():
        write_text(root / "txt" / name.split("_")[0] / f"{name}.txt", f"{words}\n")
    for name in ("p225_001", "p225_002", "p234_001", "p280_001", "p315_001", "p329_001", "s5_001"):
        for microphone in ("mic1", "mic2"):
            if (name, microphone) != ("p280_001", "mic2"):
                folder = root / "wav48_silence_trimmed" / name.split("_")[0]
                write_clip(folder / f"{name}_{microphone}.flac", rate_hz=48_000, seconds=0.3)
    return root


def vctk_080(root: Path) -> Path:
    """Write VCTK 0.80: speakers are numbers in the table, p280 has no row there, and p315 no text."""
    write_text(
        root / "speaker-info.txt",
        "ID  AGE  GENDER  ACCENTS  REGION  \n"
        "225  23  F    English    Southern  England\n"
        "248  23  F    Indian  \n"
        "315  18  M    American  New  England\n"
        "335  25  F    NewZealand  English  \n",
    )
    for speaker in ("p225", "p248", "p280", "p315", "p335"):
        write_clip(root / "wav48" / speaker / f"{speaker}_001.wav", rate_hz=48_000, seconds=0.3)
        if speaker != "p315":
            write_text(root / "txt" / speaker / f"{speaker}_001.txt", "The kettle is warm.")
    return root


def l2_arctic(root: Path) -> Path:
    """Write L2-ARCTIC: HJK unpacked into two folders, a recording of ABA without its text and one the other way."""
    for folder, speaker in (("ABA", "ABA"), ("HJK/HJK", "HJK"), ("TXHC", "TXHC")):
        write_clip(root / folder / "wav" / "arctic_a0001.wav", speaker, rate_hz=44_100)
        write_text(root / folder / "transcript" / "arctic_a0001.txt", "a kettle was on the hob")
        write_text(root / folder / "textgrid" / "arctic_a0001.TextGrid", "")
        write_text(root / folder / "annotation" / "arctic_a0001.TextGrid", "")
    write_clip(root / "ABA" / "wav" / "arctic_b0002.wav", "ABA", "b", rate_hz=44_100)
    write_text(root / "ABA" / "transcript" / "arctic_b0003.txt", "nobody heard this one")
    write_clip(root / "XYZ" / "wav" / "arctic_a0001.wav", "XYZ", rate_hz=44_100)
    write_text(root / "XYZ" / "transcript" / "arctic_a0001.txt", "a speaker whom no list knows")
    for speaker in ("aba", "hjk"):
        write_clip(root / "suitcase_corpus" / "wav" / f"{speaker}.wav", "suitcase", speaker, rate_hz=44_100)
        write_text(root / "suitcase_corpus" / "transcript" / f"{speaker}.txt", f"so there is uh {speaker} and a bag")
    write_text(root / "README.md", "not a text of anybody")
    return root


def librispeech(root: Path) -> Path:
    """Write LibriSpeech: two subsets, a line without a recording and a recording without a line."""
    write_text(
        root / "SPEAKERS.TXT",
        "; ID |SEX| SUBSET           |MINUTES| NAME\n"
        ";\n"
        "14   | F | train-clean-360  | 25.03 | A Reader\n"
        "1089 | M | test-clean       | 8.03  | One | or Two\n"
        '2277 | F | dev-clean        | 8.10  | "Quoted\n',
    )
    chapter = root / "test-clean" / "1089" / "134686"
    for number in (0, 1, 9):
        write_clip(chapter / f"1089-134686-{number:04d}.flac")
    write_text(
        chapter / "1089-134686.trans.txt",
        "1089-134686-0000 HE HOPED THERE WAS TEA\n1089-134686-0001 NONE\n1089-134686-0002 NOBODY READ THIS\n",
    )
    other = root / "dev-clean" / "2277" / "149896"
    write_clip(other / "2277-149896-0000.flac")
    write_text(other / "2277-149896.trans.txt", "2277-149896-0000 ANOTHER SUBSET\n")
    return root


def timit(root: Path, *, lower: bool = False) -> Path:
    """Write TIMIT: SPHERE files, times before the words, copies as RIFF beside some, and names in either case."""

    def path(name: str) -> Path:
        return root / (name.lower() if lower else name)

    for name, words in {
        "TEST/DR1/FAKS0/SA1": "0 46797 She had your blue kettle all year.",
        "TEST/DR8/MJLN0/SX9": "0 50000 Where were you while we were away?",
        "TRAIN/DR4/FCAG0/SI1503": "0 61132 Obvious, bridal shower questions.",
    }.items():
        write_clip(path(f"{name}.WAV"), name, kind="sphere")
        write_text(path(f"{name}.TXT"), f"{words} \n")
        write_text(path(f"{name}.PHN"), "0 9640 h#\n")
        write_text(path(f"{name}.WRD"), "9640 12783 she\n")
    write_clip(root / "TEST/DR1/FAKS0/SA1.WAV.wav" if not lower else root / "test/dr1/faks0/sa1.wav.wav")
    write_clip(path("TEST/DR1/FAKS0/SA2.WAV"), "SA2", kind="sphere")
    write_text(path("TEST/DR8/MJLN0/SX99.TXT"), "0 100 No recording.\n")
    write_text(path("TEST/DR8/MJLN0/SX100.TXT"), "These words have no times.\n")
    write_clip(path("TEST/DR8/MJLN0/SX100.WAV"), "SX100", kind="sphere")
    write_text(path("README.DOC"), "documentation")
    return root


def aesrc2020(root: Path) -> Path:
    """Write the training part of AESRC2020: accents with spaces or underscores, and a recording without its text."""
    for folder, utterance in (
        ("American English Speech Data", "G00473S1002"),
        ("Chinese Speaking English Speech Data", "G00001S1001"),
        ("Russian_Speaking_English_Speech_Data", "G00011S1001"),
    ):
        speaker = root / folder / utterance[:6]
        write_clip(speaker / f"{utterance}.wav")
        write_text(speaker / f"{utterance}.txt", 'Turn, please: "left".')
        write_text(speaker / f"{utterance}.metadata", "SEX\tFemale\n")
    write_clip(root / "American English Speech Data" / "G00473" / "G00473S1003.wav")
    return root


def google_uk_ireland(root: Path) -> Path:
    """Write OpenSLR 83: texts with commas, quoted texts, a line that is none, and both kinds of missing partner."""
    irish = root / "irish_english_male"
    for name in ("irm_02484_00012334", "irm_02484_00045678", "irm_03397_00000001"):
        write_clip(irish / f"{name}.wav", rate_hz=48_000)
    write_text(
        irish / "line_index.csv",
        "EN0001, irm_02484_00012334, It is thirteen past two\n"
        "EN0002, irm_02484_00045678, Before tea, and after tea, we walked\n"
        "EN0003, irm_02484_00099999, Nobody recorded this\n"
        "this is not a line of the index\n",
    )
    scottish = root / "scottish_english_female"
    write_clip(scottish / "scf_02484_00012334.wav", rate_hz=48_000)
    write_text(scottish / "line_index.csv", 'EN0001, scf_02484_00012334, "It is thirteen, past two"\n')
    return root


def speech_accent_archive(root: Path) -> Path:
    """Write the archive: a header that ends in nameless columns, two missing recordings of one name, one text."""
    write_text(
        root / "speakers_all.csv",
        "age,age_onset,birthplace,filename,native_language,sex,speakerid,country,file_missing?,,,\n"
        '42,42,"port-au-prince, haiti",haitian,haitian,male,1165,haiti,TRUE,,,\n'
        '41,35,"port-au-prince, haiti",haitian,haitian,male,1166,haiti,TRUE,,,\n'
        '38,5,"ramun, israel (occupied territory)",arabic25,arabic,male,1011,israel (occupied territory),FALSE,,,\n'
        '26,5,"cairo, egypt",arabic10,arabic,male,12,egypt,FALSE,,,\n'
        '30,0,"birmingham, uk",english2,english,female,77,uk,FALSE,,,\n'
        '21,0,"dublin, ireland",english253,english,male,857,ireland,FALSE,,,\n'
        '50,0,"suva, fiji",english196,english,female,654,fiji,FALSE,,,\n'
        '18,2.5,"honolulu, hawai\'i, usa",english9,english,male,9,usa,FALSE,,,\n',
    )
    write_text(root / "reading-passage.txt", "Please find Stella.\nTell her that the kettle is warm.\n")
    for name in ("arabic25", "arabic10", "english2", "english253", "english196", "english9"):
        write_clip(root / "recordings" / "recordings" / f"{name}.mp3", rate_hz=44_100)
    return root


def speechocean762(root: Path) -> Path:
    """Write speechocean762: Kaldi's tables in two parts, paths from the root, a text without its recording."""
    for part, speaker, age, gender, words in (
        ("train", "0001", "6", "m", "WE CALL IT TEA"),
        ("train", "0003", "37", "f", "NULL IS A WORD"),
        ("test", "0005", "11", "f", "TOM GIVES UP"),
    ):
        utterance = f"0{speaker}0011"
        write_clip(root / "WAVE" / f"SPEAKER{speaker}" / f"{utterance}.WAV", utterance)
        for name, line in {
            "text": f"{utterance}\t{words}",
            "wav.scp": f"{utterance}\tWAVE/SPEAKER{speaker}/{utterance}.WAV",
            "utt2spk": f"{utterance}\t{speaker}",
            "spk2age": f"{speaker}\t{age}",
            "spk2gender": f"{speaker}\t{gender}",
        }.items():
            _append(root / part / name, f"{line}\n")
    _append(root / "test" / "text", "000050099\tNOBODY SAID THIS\n")
    return root


def _append(path: Path, text: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    write_text(path, before + text)
