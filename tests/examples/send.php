<?php
// The page's PHP example; trust comes from curl.cainfo, in an ini file that PHP_INI_SCAN_DIR names.
$origin = getenv('MSGINE_ORIGIN') ?: 'https://api.msgine.net';
$ch = curl_init($origin . '/api/v1/messages/sms');

curl_setopt($ch, CURLOPT_POST, true);
curl_setopt($ch, CURLOPT_HTTPHEADER, [
    'Authorization: Bearer ' . getenv('MSGINE_TOKEN'),
    'Content-Type: application/json'
]);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode([
    'to' => '+256701234567',
    'message' => 'Hello from MsGine!'
]));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);

$response = curl_exec($ch);
curl_close($ch);

echo $response;
?>
