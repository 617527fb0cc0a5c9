// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../src/interfaces/ICoprocessor.sol";
import {HandleLayout} from "../src/libraries/HandleLayout.sol";
import {EncryptedInput, FheType} from "../src/types/Encrypted.sol";
import {InputTest} from "./support/InputTest.sol";

/// @notice Inputs enter on the word of k distinct live executors, for one contract and one user.
contract CoprocessorInputsTest is InputTest {
    address private _user;

    function setUp() public override {
        super.setUp();
        _user = addressOfName("user");
    }

    function test_provenInputIsUsable() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        vm.expectEmit(address(coprocessor));
        emit ICoprocessor.InputVerified(keyId, address(this), _user, input.listDigest, input.handles);
        coprocessor.verifyInput(input, _user);
        vm.assertTrue(coprocessor.mayUse(input.handles[0], address(this)));
        vm.assertTrue(coprocessor.mayUse(input.handles[1], address(this)));
        vm.assertFalse(coprocessor.mayUse(input.handles[0], _user));
    }

    function test_orderOfSignaturesIsFree() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        (input.signatures[0], input.signatures[1]) = (input.signatures[1], input.signatures[0]);
        coprocessor.verifyInput(input, _user);
    }

    function test_oneExecutorIsNotEnough() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        bytes[] memory one = new bytes[](1);
        one[0] = input.signatures[0];
        input.signatures = one;
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.TooFewExecutors.selector, 1, uint8(2)));
        coprocessor.verifyInput(input, _user);
    }

    function test_sameExecutorTwiceIsOne() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        input.signatures[1] = input.signatures[0];
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.ExecutorRepeated.selector, executors[0]));
        coprocessor.verifyInput(input, _user);
    }

    function test_executorWithoutStandingDoesNotCount() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        nodes.setExpiry(executors[1], uint32(block.timestamp));
        vm.expectRevert(
            abi.encodeWithSelector(ICoprocessor.ExecutorNotLive.selector, executors[1], uint32(block.timestamp))
        );
        coprocessor.verifyInput(input, _user);
    }

    function test_keyholderIsNoExecutor() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        bytes32 digest = coprocessor.inputDigest(keyId, address(this), _user, input.listDigest, input.handles);
        input.signatures[1] = signDigest(partyKeys[0], digest);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.NotAnExecutor.selector, parties[0]));
        coprocessor.verifyInput(input, _user);
        input.signatures[1] = hex"00";
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.NotAnExecutor.selector, address(0)));
        coprocessor.verifyInput(input, _user);
    }

    /// @notice A copied input is of no use to another user or contract.
    function test_fuzz_copiedInputIsRefused(address user, address contractAddress) public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        vm.assume(user != _user && contractAddress != address(this));
        bytes memory refusal = abi.encodeWithSelector(ICoprocessor.BadInputHandle.selector, 0, input.handles[0]);
        vm.expectRevert(refusal);
        coprocessor.verifyInput(input, user);
        vm.prank(contractAddress);
        vm.expectRevert(refusal);
        coprocessor.verifyInput(input, _user);
    }

    /// @notice Executors cannot choose handles: a list, a contract and a user fix them but for the type.
    function test_fuzz_handlesFollowFromTheList(uint256 bit) public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        bit = bound(bit, 0, 255);
        vm.assume(bit < 8 || bit > 15);
        input.handles[1] ^= bytes32(1 << bit);
        _sign(input, address(this), _user);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.BadInputHandle.selector, 1, input.handles[1]));
        coprocessor.verifyInput(input, _user);
    }

    function test_unknownTypeIsRefused() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        input.handles[1] |= bytes32(uint256(0xff00));
        _sign(input, address(this), _user);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.BadInputHandle.selector, 1, input.handles[1]));
        coprocessor.verifyInput(input, _user);
    }

    /// @notice The type is the executors' word: another one is another message.
    function test_otherTypeThanSignedIsRefused() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        bytes32 digest = bytes32(uint256(input.handles[1]));
        input.handles[1] = HandleLayout.format(digest, 1, FheType.Uint32);
        vm.expectRevert();
        coprocessor.verifyInput(input, _user);
    }

    function test_listsHaveABoundedLength() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        input.handles = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.InputCountOutOfRange.selector, 0));
        coprocessor.verifyInput(input, _user);
        input.handles = new bytes32[](256);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.InputCountOutOfRange.selector, 256));
        coprocessor.verifyInput(input, _user);
    }

    function test_withoutAKeyNothingEnters() public {
        EncryptedInput memory input = _input(address(this), _user, FheType.Uint8, FheType.Uint16);
        vm.mockCall(address(keys), abi.encodeCall(keys.keyOfHost, (address(coprocessor))), abi.encode(bytes32(0)));
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.NoKey.selector, address(coprocessor)));
        coprocessor.verifyInput(input, _user);
    }

    function test_digestIsEip712() public view {
        bytes32[] memory handles = _handles(2);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "InputAttestation(bytes32 keyId,address coprocessor,address contractAddress,address user,bytes32 listDigest,bytes32[] handles)"
                ),
                keyId,
                address(coprocessor),
                address(1),
                address(2),
                keccak256("list"),
                keccak256(abi.encodePacked(handles))
            )
        );
        vm.assertEq(
            coprocessor.inputDigest(keyId, address(1), address(2), keccak256("list"), handles),
            keccak256(abi.encodePacked(hex"1901", verifier.domainSeparator(), structHash))
        );
    }
}
