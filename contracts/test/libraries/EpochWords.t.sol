// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecryptionVerifier} from "../../src/interfaces/IDecryptionVerifier.sol";
import {EpochWords} from "../../src/libraries/EpochWords.sol";
import {Test} from "../support/Test.sol";

contract EpochWordsTest is Test {
    using EpochWords for uint256[2];

    uint256[2] private _words;
    uint32[15] private _model;

    function install(uint32[] calldata expiries) external {
        _words = EpochWords.pack(28, 15, 9, expiries);
    }

    function requireLive(uint256 parties) external view returns (uint256) {
        return _words.requireLive(_words[0], parties);
    }

    function setUp() public {
        uint32[] memory expiries = new uint32[](15);
        for (uint256 i; i < 15; ++i) {
            _model[i] = uint32(uint256(keccak256(abi.encode(i))));
            expiries[i] = _model[i];
        }
        this.install(expiries);
    }

    /// @notice Any sequence of writes and removals leaves every other party and the header alone.
    function test_fuzz_behavesLikeAnArray(uint8[12] calldata indexes, uint32[12] calldata expiries, uint16 cleared)
        public
    {
        for (uint256 step; step < 12; ++step) {
            uint8 index = uint8(bound(indexes[step], 1, 15));
            _words.setExpiry(index, expiries[step]);
            _model[index - 1] = expiries[step];
        }
        uint256 parties = cleared >> 1;
        _words.clear(_words[0], parties);
        for (uint8 index = 1; index <= 15; ++index) {
            bool isCleared = (parties >> (index - 1)) & 1 == 1;
            vm.assertEq(_words.expiryOf(index), isCleared ? 0 : _model[index - 1]);
        }
        (uint8 groupV, uint8 n, uint8 quorum) = EpochWords.header(_words[0]);
        vm.assertTrue(groupV == 28 && n == 15 && quorum == 9);
    }

    function test_fuzz_findsTheFirstThatIsNotLive(uint16 parties, uint32 time) public {
        vm.warp(time);
        uint256 set = parties >> 1;
        uint256 count;
        for (uint8 index = 1; index <= 15; ++index) {
            if ((set >> (index - 1)) & 1 == 0) continue;
            if (_model[index - 1] <= time) {
                vm.expectRevert(
                    abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, index, _model[index - 1])
                );
                this.requireLive(set);
                return;
            }
            ++count;
        }
        vm.assertEq(this.requireLive(set), count);
    }

    /// @notice Expiries at and around now, at the ends of their range, at any time: each position by itself.
    function test_fuzz_lastSecondIsExact(uint256 seed, uint40 time, uint16 parties) public {
        time = uint40(bound(time, 0, uint256(type(uint32).max) + 2));
        vm.warp(time);
        uint32[] memory expiries = new uint32[](15);
        uint256 set = parties >> 1;
        bool live = true;
        uint256 count;
        for (uint256 i; i < 15; ++i) {
            uint256 expiry = [0, uint256(time) - (time == 0 ? 0 : 1), time, uint256(time) + 1, type(uint32).max][
                uint256(keccak256(abi.encode(seed, i))) % 5
            ];
            // Mostly live ones, or hardly a set passes.
            if (seed % 3 != 0 && expiry <= time) expiry = uint256(time) + 1;
            expiries[i] = expiry > type(uint32).max ? type(uint32).max : uint32(expiry);
            if ((set >> i) & 1 == 0) continue;
            live = live && expiries[i] > time;
            ++count;
        }
        this.install(expiries);
        if (!live) vm.expectPartialRevert(IDecryptionVerifier.SignerNotLive.selector);
        uint256 counted = this.requireLive(set);
        if (live) vm.assertEq(counted, count);
    }
}
