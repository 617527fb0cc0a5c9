// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Calendar
/// @notice The two spellings of a moment in Intel's collateral, to seconds since 1970. All arithmetic is on the
/// characters of one word at once: XOR with the template leaves digits 0..9 and zero for every separator.
library Calendar {
    uint256 private constant UTC_TIME = 0x3030303030303030303030305a; // YYMMDDHHMMSSZ
    uint256 private constant ISO_8601 = 0x00303030302d30302d30305430303a30303a30305a; // YYYY-MM-DDTHH:MM:SSZ
    uint256 private constant ISO_SEPARATORS = 0x0000000000ff0000ff0000ff0000ff0000ff0000ff;

    /// @param text thirteen characters; the year is 2000 + YY, at most 2049 (RFC 5280 §4.1.2.5.1)
    function fromUtcTime(uint104 text) internal pure returns (uint256 time, bool valid) {
        unchecked {
            uint256 digits = text ^ UTC_TIME;
            uint256 year = _pair(digits, 12);
            bool inRange;
            (time, inRange) = _seconds(
                2000 + year, _pair(digits, 10), _pair(digits, 8), _pair(digits, 6), _pair(digits, 4), _pair(digits, 2)
            );
            valid = inRange && year < 50 && digits & 0xff == 0 && _allDecimal(digits);
        }
    }

    /// @param text twenty characters
    function fromIso8601(uint160 text) internal pure returns (uint256 time, bool valid) {
        unchecked {
            uint256 digits = text ^ ISO_8601;
            bool inRange;
            (time, inRange) = _seconds(
                _pair(digits, 19) * 100 + _pair(digits, 17),
                _pair(digits, 14),
                _pair(digits, 11),
                _pair(digits, 8),
                _pair(digits, 5),
                _pair(digits, 2)
            );
            valid = inRange && digits & ISO_SEPARATORS == 0 && _allDecimal(digits);
        }
    }

    /// @dev Every byte at most 9: adding 6 to a larger one, or the byte itself, reaches the upper nibble.
    function _allDecimal(uint256 digits) private pure returns (bool) {
        unchecked {
            uint256 upper = 0x00f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0;
            return (digits | (digits + 0x000606060606060606060606060606060606060606)) & upper == 0;
        }
    }

    /// @dev The digits in bytes `place` and `place - 1`, counted from the lowest, as a number.
    function _pair(uint256 digits, uint256 place) private pure returns (uint256) {
        unchecked {
            digits >>= 8 * (place - 1);
            return ((digits >> 8) & 0xff) * 10 + (digits & 0xff);
        }
    }

    /// @dev January, March, May, July and, after a break, August, October, December are the long ones.
    function _daysOf(uint256 month, uint256 year) private pure returns (uint256) {
        unchecked {
            if (month != 2) return 30 + ((month + (month >> 3)) & 1);
            return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        }
    }

    /// @dev Days of the proleptic Gregorian calendar (H. Hinnant, days_from_civil).
    function _seconds(uint256 year, uint256 month, uint256 day, uint256 hour, uint256 minute, uint256 second)
        private
        pure
        returns (uint256 time, bool inRange)
    {
        unchecked {
            inRange = year >= 2000 && month - 1 < 12 && day - 1 < _daysOf(month, year);
            inRange = inRange && hour < 24 && minute < 60 && second < 60;
            if (month < 3) {
                year -= 1;
                month += 12;
            }
            uint256 era = year / 400;
            uint256 yearOfEra = year - era * 400;
            uint256 dayOfYear = (153 * (month - 3) + 2) / 5 + day - 1;
            uint256 dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
            time = (era * 146097 + dayOfEra - 719468) * 1 days + hour * 1 hours + minute * 1 minutes + second;
        }
    }
}
