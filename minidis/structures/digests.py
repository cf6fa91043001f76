"""XXH3, 64 bits, seed 0: the digest of DIGEST and of the conditions IFDEQ and IFDNE.

    length    0 .. 16       a few overlapping reads, multiplied once
              17 .. 240     sixteen bytes at a time, from both ends or front to back
              241 ..        stripes of 64 bytes into eight accumulators; after 16 stripes
                            (a block) the accumulators are scrambled
    secret    192 fixed bytes; each step reads it at its own offset

All numbers are little-endian and all sums are modulo 2**64. The long form takes a fixed amount of
Python code per eight bytes, about 20 MB/s. Digests of long strings are rare, and a dependency would
need one more binary wheel on every platform.
"""

from __future__ import annotations

from struct import Struct

_MASK = 0xFFFFFFFFFFFFFFFF
_LOW = 0xFFFFFFFF

_P32_1 = 0x9E3779B1
_P32_2 = 0x85EBCA77
_P32_3 = 0xC2B2AE3D
_P64_1 = 0x9E3779B185EBCA87
_P64_2 = 0xC2B2AE3D27D4EB4F
_P64_3 = 0x165667B19E3779F9
_P64_4 = 0x85EBCA77C2B2AE63
_P64_5 = 0x27D4EB2F165667C5
_MIX_1 = 0x165667919E3779F9
_MIX_2 = 0x9FB21C651E98DF25

_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_STRIPE = 64
_STRIPES = (len(_SECRET) - _STRIPE) // 8
_BLOCK = _STRIPE * _STRIPES
_START = (_P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1)

Lanes = tuple[int, ...]
_eight = Struct("<8Q").unpack_from

#: The parts of the secret for each stripe of a block, for scrambling, and for the last stripe.
_KEYS: list[Lanes] = [_eight(_SECRET, 8 * stripe) for stripe in range(_STRIPES)]
_SCRAMBLE_KEY: Lanes = _eight(_SECRET, len(_SECRET) - _STRIPE)
_LAST_KEY: Lanes = _eight(_SECRET, len(_SECRET) - _STRIPE - 7)


def xxh3_64(data: bytes) -> int:
    """The XXH3 digest of the data.

    >>> f"{xxh3_64(b'Hello world'):016x}"
    'b6acb9d84a38ff74'
    """
    size = len(data)
    if size <= 16:
        return _short(data, size)
    if size <= 128:
        return _avalanche(_from_both_ends(data, size))
    if size <= 240:
        return _avalanche(_front_to_back(data, size))
    return _long(data, size)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _half(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _fold(left: int, right: int) -> int:
    """Xor of both halves of the 128-bit product."""
    product = left * right
    return (product & _MASK) ^ (product >> 64)


def _avalanche(value: int) -> int:
    """Spread each bit over all bits of the digest."""
    value &= _MASK
    value ^= value >> 37
    value = value * _MIX_1 & _MASK
    return value ^ value >> 32


def _avalanche_older(value: int) -> int:
    """The same with the constants of XXH64, for the shortest inputs."""
    value ^= value >> 33
    value = value * _P64_2 & _MASK
    value ^= value >> 29
    value = value * _P64_3 & _MASK
    return value ^ value >> 32


def _short(data: bytes, size: int) -> int:
    if size > 8:
        return _up_to_16(data, size)
    if size >= 4:
        return _up_to_8(data, size)
    if size:
        packed = data[0] << 16 | data[size >> 1] << 24 | data[-1] | size << 8
        return _avalanche_older(packed ^ _half(_SECRET, 0) ^ _half(_SECRET, 4))
    return _avalanche_older(_word(_SECRET, 56) ^ _word(_SECRET, 64))


def _up_to_8(data: bytes, size: int) -> int:
    value = _half(data, size - 4) + (_half(data, 0) << 32)
    value ^= _word(_SECRET, 8) ^ _word(_SECRET, 16)
    value ^= _rotated(value, 49) ^ _rotated(value, 24)
    value = value * _MIX_2 & _MASK
    value ^= (value >> 35) + size
    value = value * _MIX_2 & _MASK
    return value ^ value >> 28


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _up_to_16(data: bytes, size: int) -> int:
    low = _word(data, 0) ^ _word(_SECRET, 24) ^ _word(_SECRET, 32)
    high = _word(data, size - 8) ^ _word(_SECRET, 40) ^ _word(_SECRET, 48)
    turned = int.from_bytes(low.to_bytes(8, "little"), "big")
    return _avalanche(size + turned + high + _fold(low, high))


def _mix(data: bytes, at: int, secret: int) -> int:
    """Sixteen bytes, keyed by the secret at an offset."""
    return _fold(
        _word(data, at) ^ _word(_SECRET, secret), _word(data, at + 8) ^ _word(_SECRET, secret + 8)
    )


def _from_both_ends(data: bytes, size: int) -> int:
    """17 to 128 bytes: pairs of sixteen bytes from the outside inward, which may overlap."""
    total = size * _P64_1
    for pair in range((size + 31) // 32):
        total += _mix(data, 16 * pair, 32 * pair)
        total += _mix(data, size - 16 * pair - 16, 32 * pair + 16)
    return total


def _front_to_back(data: bytes, size: int) -> int:
    """129 to 240 bytes: eight steps, an avalanche, the rest with the secret shifted by 3."""
    total = size * _P64_1 + sum(_mix(data, at, at) for at in range(0, 128, 16))
    total = _avalanche(total)
    total += sum(_mix(data, at, at - 128 + 3) for at in range(128, size // 16 * 16, 16))
    return total + _mix(data, size - 16, 136 - 17)


def _long(data: bytes, size: int) -> int:
    lanes: Lanes = _START
    # The last stripe is always the last 64 bytes, so the regular ones stop one byte before the end.
    stripes = (size - 1) // _STRIPE
    for stripe in range(stripes):
        lanes = _accumulated(lanes, _eight(data, stripe * _STRIPE), _KEYS[stripe % _STRIPES])
        if stripe % _STRIPES == _STRIPES - 1:
            lanes = _scrambled(lanes)
    lanes = _accumulated(lanes, _eight(data, size - _STRIPE), _LAST_KEY)
    return _merged(lanes, size)


def _accumulated(lanes: Lanes, words: Lanes, key: Lanes) -> Lanes:
    """Add a stripe: each lane adds its neighbour's word, and the product of its own halves.

    The loop over the lanes is unrolled, which halves the time.
    """
    a, b, c, d, e, f, g, h = lanes
    i, j, k, m, n, o, p, q = words
    s, t, u, v, w, x, y, z = map(int.__xor__, words, key)
    return (
        a + j + (s & _LOW) * (s >> 32) & _MASK,
        b + i + (t & _LOW) * (t >> 32) & _MASK,
        c + m + (u & _LOW) * (u >> 32) & _MASK,
        d + k + (v & _LOW) * (v >> 32) & _MASK,
        e + o + (w & _LOW) * (w >> 32) & _MASK,
        f + n + (x & _LOW) * (x >> 32) & _MASK,
        g + q + (y & _LOW) * (y >> 32) & _MASK,
        h + p + (z & _LOW) * (z >> 32) & _MASK,
    )


def _scrambled(lanes: Lanes) -> Lanes:
    return tuple(
        (lane ^ lane >> 47 ^ key) * _P32_1 & _MASK
        for lane, key in zip(lanes, _SCRAMBLE_KEY, strict=True)
    )


def _merged(lanes: Lanes, size: int) -> int:
    total = size * _P64_1
    for lane in range(0, 8, 2):
        secret = 11 + 8 * lane
        total += _fold(
            lanes[lane] ^ _word(_SECRET, secret), lanes[lane + 1] ^ _word(_SECRET, secret + 8)
        )
    return _avalanche(total)
