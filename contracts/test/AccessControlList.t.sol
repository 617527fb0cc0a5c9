// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../src/interfaces/ICoprocessor.sol";
import {FheType, Operator} from "../src/types/Encrypted.sol";
import {System} from "./support/System.sol";

/// @notice Permissions come only from those who have them, and transient ones end with the transaction.
/// forge-config: default.isolate = true
contract AccessControlListTest is System {
    address private _alice;
    address private _bob;

    function setUp() public override {
        super.setUp();
        _alice = addressOfName("alice");
        _bob = addressOfName("bob");
    }

    function test_resultsEndWithTheTransactionUnlessAllowed() public {
        Session session = new Session(coprocessor);
        (bytes32 kept, bytes32 lost) = session.make();
        vm.assertTrue(coprocessor.isAllowed(kept, address(session)));
        vm.assertFalse(coprocessor.isAllowed(lost, address(session)));
        vm.assertFalse(coprocessor.mayUse(lost, address(session)));
        session.use(kept);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.NotAllowed.selector, lost, address(session)));
        session.use(lost);
    }

    function test_transientPermissionIsNoPersistentOne() public {
        Session session = new Session(coprocessor);
        bytes32 lent = session.lend(_alice);
        vm.assertFalse(coprocessor.isAllowed(lent, _alice));
        vm.assertFalse(coprocessor.mayUse(lent, _alice));
        vm.assertTrue(session.sawAlice());
    }

    function test_permissionIsPassedOn() public {
        bytes32 handle = _handleOf(_alice);
        vm.expectEmit(address(coprocessor));
        emit ICoprocessor.Allowed(handle, _bob, _alice);
        vm.prank(_alice);
        coprocessor.allow(handle, _bob);
        vm.assertTrue(coprocessor.isAllowed(handle, _bob));
        vm.prank(_bob);
        coprocessor.binaryScalar(Operator.Add, handle, 1);
    }

    function test_fuzz_strangersGiveNothing(address stranger, address to) public {
        bytes32 handle = _handleOf(_alice);
        vm.assume(stranger != _alice);
        bytes memory refusal = abi.encodeWithSelector(ICoprocessor.NotAllowed.selector, handle, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        coprocessor.allow(handle, to);
        vm.expectRevert(refusal);
        coprocessor.allowTransient(handle, to);
        vm.expectRevert(refusal);
        coprocessor.allowForDecryption(handle);
        vm.stopPrank();
        vm.assertFalse(coprocessor.isAllowedForDecryption(handle));
    }

    function test_publicDecryptionIsAllowedByItsOwner() public {
        bytes32 handle = _handleOf(_alice);
        vm.assertFalse(coprocessor.isAllowedForDecryption(handle));
        vm.expectEmit(address(coprocessor));
        emit ICoprocessor.AllowedForDecryption(handle, _alice);
        vm.prank(_alice);
        coprocessor.allowForDecryption(handle);
        vm.assertTrue(coprocessor.isAllowedForDecryption(handle));
    }

    function test_permitNonceCountsUp() public {
        vm.startPrank(_alice);
        vm.expectEmit(address(coprocessor));
        emit ICoprocessor.PermitNonceUsed(_alice, 0);
        coprocessor.usePermitNonce();
        coprocessor.usePermitNonce();
        vm.stopPrank();
        (uint256 nonce, uint64 floor) = coprocessor.permitFloor(_alice);
        vm.assertEq(nonce, 2);
        vm.assertEq(floor, 0);
        (nonce,) = coprocessor.permitFloor(_bob);
        vm.assertEq(nonce, 0);
    }

    function test_permitFloorMovesForwardAndNotBeyondNow() public {
        uint64 time = uint64(block.timestamp);
        vm.startPrank(_alice);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.FloorInFuture.selector, time + 1));
        coprocessor.invalidatePermitsBefore(time + 1);
        vm.expectEmit(address(coprocessor));
        emit ICoprocessor.PermitsInvalidated(_alice, time);
        coprocessor.invalidatePermitsBefore(time);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.FloorNotAhead.selector, time - 1, time));
        coprocessor.invalidatePermitsBefore(time - 1);
        vm.expectRevert(abi.encodeWithSelector(ICoprocessor.FloorNotAhead.selector, time, time));
        coprocessor.invalidatePermitsBefore(time);
        vm.stopPrank();
        (, uint64 floor) = coprocessor.permitFloor(_alice);
        vm.assertEq(floor, time);
    }

    /// @notice A handle that `owner` may use for ever.
    function _handleOf(address owner) private returns (bytes32 handle) {
        Session session = new Session(coprocessor);
        handle = session.give(owner);
    }
}

/// @notice Several calls in one transaction.
contract Session {
    ICoprocessor private immutable _coprocessor;
    bool public sawAlice;

    constructor(ICoprocessor coprocessor) {
        _coprocessor = coprocessor;
    }

    function make() external returns (bytes32 kept, bytes32 lost) {
        kept = _coprocessor.trivialEncrypt(1, FheType.Uint8);
        lost = _coprocessor.binaryScalar(Operator.Add, kept, 1);
        _coprocessor.allow(kept, address(this));
    }

    function use(bytes32 handle) external {
        _coprocessor.unary(Operator.Neg, handle);
    }

    function lend(address account) external returns (bytes32 lent) {
        lent = _coprocessor.trivialEncrypt(2, FheType.Uint8);
        _coprocessor.allowTransient(lent, account);
        sawAlice = _coprocessor.mayUse(lent, account);
    }

    function give(address owner) external returns (bytes32 handle) {
        handle = _coprocessor.trivialEncrypt(3, FheType.Uint8);
        _coprocessor.allow(handle, owner);
    }
}
